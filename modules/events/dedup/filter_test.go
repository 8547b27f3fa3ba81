package dedup

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
)

func numbered(n uint64) codec.Identity {
	var i codec.Identity
	i.User = core.ID(1 + n%100)
	rng := rand.New(rand.NewPCG(n, 7))
	binary.LittleEndian.PutUint64(i.ID[:], rng.Uint64())
	binary.LittleEndian.PutUint64(i.ID[8:], rng.Uint64())
	return i
}

func TestTheFilterNeverDeniesAnIDItWasGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFilter(rapid.IntRange(8, 32).Draw(t, "bits"))
		n := rapid.Uint64Range(1, 60_000).Draw(t, "n") // beyond the first capacity: it grows
		var later []uint64                             // of day 2: those of the other days come one by one
		for i := range n {
			if i%3 == 2 {
				later = append(later, numbered(i).Hash())
				continue
			}
			f.add(int32(i%3), numbered(i).Hash())
		}
		f.of(2, 0).addAll(later)
		for i := range n {
			require.Contains(t, f.candidates(numbered(i).Hash(), nil), int32(i%3))
		}
		f.forget(1)
		require.NotContains(t, f.candidates(numbered(0).Hash(), nil), int32(0))
	})
}

func TestTheFilterLooksTwiceAtFewNewIDs(t *testing.T) {
	f := newFilter(16)
	const n = 200_000
	f.of(0, n)
	for i := range uint64(n) {
		f.add(0, numbered(i).Hash())
	}
	suspects := 0
	for i := range uint64(n) {
		suspects += len(f.candidates(numbered(n+i).Hash(), nil))
	}
	require.Less(t, float64(suspects)/n, 0.005)
}
