package shortlist

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
		l := New()
		for i, s := range rapid.SliceOfN(score, 0, 60).Draw(t, "scores") {
			l.Posts = append(l.Posts, Post{
				ID: core.ID(1 + i), Created: rapid.Int64Range(0, 2).Draw(t, "created"),
				Score: s,
			})
		}
		l.sort()
		want := make([]int32, len(l.Posts))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortFunc(want, func(a, b int32) int {
			if l.better(a, b) {
				return -1
			}
			return 1
		})
		require.Equal(t, want, append([]int32{}, l.Order...))
	})
}
