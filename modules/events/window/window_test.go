package window

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTheWindowRemembersTheLatestHalfAtLeastAndNeverMoreThanItsSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(2, 200).Draw(t, "size")
		w := New[int64, int64](size)
		n := rapid.Int64Range(1, 1000).Draw(t, "n")
		for i := range n {
			w.Add(i, i)
			require.LessOrEqual(t, w.Len(), size)
		}
		for i := max(0, n-int64(size/2)); i < n; i++ {
			at, ok := w.Find(i)
			require.True(t, ok)
			require.Equal(t, i, at)
		}
	})
}
