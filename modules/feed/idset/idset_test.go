package idset_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/idset"
)

func TestTheSetAnswersAsAMapDoes(t *testing.T) {
	var set idset.Set
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.Int64Range(-2, 40), rapid.Int64())
		set.Reset(rapid.IntRange(0, 50).Draw(t, "room"))
		want := map[core.ID]bool{}
		for _, n := range rapid.SliceOfN(id, 0, 200).Draw(t, "ids") {
			added := set.Add(core.ID(n))
			require.Equal(t, n != 0 && !want[core.ID(n)], added)
			if n != 0 {
				want[core.ID(n)] = true
			}
		}
		require.Equal(t, len(want), set.Len())
		for i := range 50 {
			require.Equal(t, want[core.ID(i)], set.Has(core.ID(i)))
		}
		for id := range want {
			require.True(t, set.Has(id))
		}
	})
}

func TestTheZeroSetIsEmpty(t *testing.T) {
	var set idset.Set
	require.False(t, set.Has(1))
	require.True(t, set.Add(1))
	require.True(t, set.Has(1))
}
