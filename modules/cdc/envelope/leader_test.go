package envelope

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatAReplacedLeaderWritesIsLeftOut(t *testing.T) {
	of := func(system, number uint64) Source { return Source{System: system, LeaderEpoch: number} }
	var l Leader
	require.False(t, l.Late(of(7, 3)), "the first one leads")
	l.Advance(of(7, 3))
	require.False(t, l.Late(of(7, 3)))
	require.False(t, l.Late(of(7, 4)))
	l.Advance(of(7, 4))
	require.True(t, l.Late(of(7, 3)), "it was replaced")
	require.False(t, l.Late(of(8, 1)), "another cluster counts anew")
	require.False(t, l.Late(of(0, 0)), "a repair, or Debezium")
	l.Advance(of(0, 0))
	require.True(t, l.Late(of(7, 3)), "a repair says nothing of leads")
}
