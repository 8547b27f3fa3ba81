package mapping

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABlockIsAnEdgeOfBoth(t *testing.T) {
	row := Row{Key: "1", First: 1, Other: 2}
	require.Equal(t, []Edge{{1, EdgeBlock, 2, "1"}, {2, EdgeBlockedBy, 1, "1"}}, Block.Edges(row))
	require.Equal(t, []Edge{{1, EdgeFollow, 2, "1"}}, Follow.Edges(row))
	require.Equal(t, []Edge{{1, EdgeMute, 2, "1"}}, Mute.Edges(row))
	row.Gone = true
	require.Empty(t, Block.Edges(row))
	require.Empty(t, Follow.Edges(Row{Key: "1", First: 1}), "nobody at its other end")
}
