package bloom_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/platform/bloom"
)

func TestAFilterNeverDeniesAKeyItWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := bloom.New(rapid.IntRange(1, 5000).Draw(t, "capacity"), rapid.IntRange(8, 32).Draw(t, "bits"))
		keys := rapid.SliceOf(rapid.Uint64()).Draw(t, "keys")
		f.Fetch(keys)
		for _, key := range keys {
			f.Add(key)
		}
		for _, key := range keys {
			require.True(t, f.MayHave(key))
		}
	})
}

func TestAFilterIsFullAtItsCapacityAndSeldomWrongUntilThen(t *testing.T) {
	const keys = 100_000
	f, rng := bloom.New(keys, 16), rand.New(rand.NewPCG(1, 2))
	require.Equal(t, keys*2, f.Bytes())
	for range keys {
		require.False(t, f.Full())
		f.Add(rng.Uint64())
	}
	require.True(t, f.Full())
	mistaken := 0
	for range keys {
		if f.MayHave(rng.Uint64()) {
			mistaken++
		}
	}
	require.Less(t, mistaken, keys/200)
	require.False(t, f.Larger().Full())
	require.Equal(t, 2*f.Bytes(), f.Larger().Bytes())
}
