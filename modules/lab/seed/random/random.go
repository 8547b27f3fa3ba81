package random

import (
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
)

// New is the stream for one purpose and index. Streams of other purposes or indexes are independent
// of it, so that drawing more from one changes nothing in another.
func New(seed uint64, purpose string, index uint64) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, purpose) // a hash does not fail
	return rand.New(rand.NewPCG(Mix(seed^h.Sum64()), Mix(index+seed)))
}

// Mix spreads the bits of x (the finalizer of splitmix64), so that neighbours give unlike numbers.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// LogNormal draws from exp(N(0, sigma²)): most draws near one, a few very large.
func LogNormal(rng *rand.Rand, sigma float64) float64 { return math.Exp(sigma * rng.NormFloat64()) }

// Geometric draws 0, 1, 2, ... with the given mean, at most most.
func Geometric(rng *rand.Rand, mean float64, most int) int {
	n := math.Log(1-rng.Float64()) / math.Log(mean/(1+mean))
	return int(min(n, float64(most)))
}
