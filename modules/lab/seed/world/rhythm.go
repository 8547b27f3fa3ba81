package world

import (
	"math"
	"time"
)

// slot is the grain of the daily rhythm.
const slot = time.Minute

// rhythm shares a number of things out over the slots of a window: three times as much in the
// afternoon as at night (UTC).
type rhythm struct {
	start time.Time
	share []float64 // up to and with each slot
}

func newRhythm(start, end time.Time) rhythm {
	slots := int((end.Sub(start) + slot - 1) / slot)
	r := rhythm{start: start, share: make([]float64, slots)}
	sum := 0.0
	for i := range r.share {
		at := start.Add(time.Duration(i) * slot)
		hour := at.Sub(at.Truncate(24 * time.Hour)).Hours()
		sum += 1 - 0.5*math.Cos(2*math.Pi*(hour-3)/24)
		r.share[i] = sum
	}
	for i := range r.share {
		r.share[i] /= sum
	}
	return r
}

// upTo is how many of total have come when a slot ends.
func (r *rhythm) upTo(i, total int) int { return int(math.Round(r.share[i] * float64(total))) }
