package random_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/lab/seed/random"
)

func TestAStreamDependsOnItsSeedPurposeAndIndexAlone(t *testing.T) {
	first := random.New(1, "posts", 2).Uint64()
	require.Equal(t, first, random.New(1, "posts", 2).Uint64())
	require.NotEqual(t, first, random.New(2, "posts", 2).Uint64())
	require.NotEqual(t, first, random.New(1, "likes", 2).Uint64())
	require.NotEqual(t, first, random.New(1, "posts", 3).Uint64())
}

func TestATableDrawsByWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 12).Draw(t, "weights")
		sum := 0.0
		for _, w := range weights {
			sum += w
		}
		const draws = 20_000
		counts := make([]int, len(weights))
		table, rng := random.NewTable(weights), random.New(1, "table", 0)
		for range draws {
			counts[table.Draw(rng)]++
		}
		for i, n := range counts {
			share := 1 / float64(len(weights))
			if sum > 0 {
				share = weights[i] / sum
			}
			require.InDelta(t, share, float64(n)/draws, 0.03, "weight %d of %v", i, weights)
		}
	})
}

func TestAGeometricDrawKeepsToItsMeanAndItsBound(t *testing.T) {
	rng, sum := random.New(1, "geometric", 0), 0
	for range 100_000 {
		n := random.Geometric(rng, 4, 30)
		require.True(t, n >= 0 && n <= 30)
		sum += n
	}
	require.InDelta(t, 4, float64(sum)/100_000, 0.1)
}
