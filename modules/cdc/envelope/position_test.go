package envelope

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachTimelineOfAClusterIsALogOfItsOwn(t *testing.T) {
	seen := map[uint64]bool{}
	for _, system := range []uint64{7, 8, 7512345678901234567} {
		require.Equal(t, system, LogOf(system, 0), "not told")
		require.Equal(t, system, LogOf(system, 1), "as it always was stored")
		for timeline := range uint32(100) {
			if timeline != 1 {
				require.False(t, seen[LogOf(system, timeline)])
				seen[LogOf(system, timeline)] = true
			}
		}
	}
	require.Zero(t, LogOf(0, 3), "whose timeline it is is not known")
}
