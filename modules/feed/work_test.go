package feed

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAListIsInTheOrderOfScoreTimeAndID(t *testing.T) {
	close := rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 1 + 1e-15, 1 + 1e-12, -1, -1 - 1e-13, 0.5})
	score := rapid.OneOf(rapid.Float64Range(-20, 20), close)
	rapid.Check(t, func(t *rapid.T) {
		w := newWork()
		for i, s := range rapid.SliceOfN(score, 0, 60).Draw(t, "scores") {
			w.posts = append(w.posts, scored{
				post: core.ID(1 + i), created: rapid.Int64Range(0, 2).Draw(t, "created"),
				score: s,
			})
		}
		w.sort()
		want := make([]int32, len(w.posts))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortFunc(want, func(a, b int32) int {
			if w.better(a, b) {
				return -1
			}
			return 1
		})
		require.Equal(t, want, append([]int32{}, w.order...))
	})
}
