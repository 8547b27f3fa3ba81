package core_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

// TestASetOfLabelsIsASet holds sets against maps, whatever order their labels come in.
func TestASetOfLabelsIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.Custom(func(t *rapid.T) core.ID { return core.ID(rapid.Int64Range(-5, 5).Draw(t, "label")) })
		a := rapid.SliceOfN(label, 0, 6).Draw(t, "a")
		b := rapid.SliceOfN(label, 0, 6).Draw(t, "b")
		set := core.LabelsOf(a...)
		want := slices.Compact(slices.Sorted(slices.Values(a)))
		require.Equal(t, len(want), set.Len())
		require.Equal(t, append([]core.ID{}, want...), set.IDs())
		slices.Reverse(a)
		require.True(t, set == core.LabelsOf(a...), "the order does not matter")
		require.Equal(t, core.LabelsOf(slices.Concat(a, b)...), set.With(core.LabelsOf(b...)))

		among := slices.Sorted(slices.Values(b))
		first, found := set.First(among)
		at := slices.IndexFunc(among, func(id core.ID) bool { return slices.Contains(a, id) })
		require.Equal(t, at >= 0, found)
		if found {
			require.Equal(t, among[at], first)
		}
	})
}

func TestLabelsThatCanBeNoneAreLeftOut(t *testing.T) {
	sensitive, err := core.ParseID("sensitive")
	require.NoError(t, err)
	require.Equal(t, []core.ID{sensitive}, core.LabelIDs([]string{"sensitive", "", "sensitive", "a\nb"}))
	require.Empty(t, core.LabelIDs(nil))
}
