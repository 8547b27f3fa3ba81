package random

import "math/rand/v2"

// Table draws indexes by weight in constant time (Walker's alias method, as Vose builds it).
type Table struct {
	cut   []float32 // below it the place itself, else its alias
	alias []uint32
}

// NewTable makes a table. Weights below or equal to zero are never drawn; without any above zero all
// are drawn alike.
func NewTable(weights []float64) *Table {
	n := len(weights)
	t := &Table{cut: make([]float32, n), alias: make([]uint32, n)}
	sum := 0.0
	for _, w := range weights {
		sum += max(0, w)
	}
	scaled := make([]float64, n)
	var small, large []uint32
	for i, w := range weights {
		if sum > 0 {
			scaled[i] = max(0, w) * float64(n) / sum
		} else {
			scaled[i] = 1
		}
		if scaled[i] < 1 {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.cut[s], t.alias[s] = float32(scaled[s]), l
		scaled[l] -= 1 - scaled[s]
		if scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	// What is left is one, but for rounding.
	for _, i := range append(small, large...) {
		t.cut[i], t.alias[i] = 1, i
	}
	return t
}

// Len is how many indexes there are.
func (t *Table) Len() int { return len(t.cut) }

// Draw draws an index.
func (t *Table) Draw(rng *rand.Rand) uint32 {
	i := rng.Uint32N(uint32(len(t.cut))) // made from a slice of users
	if rng.Float32() < t.cut[i] {
		return i
	}
	return t.alias[i]
}
