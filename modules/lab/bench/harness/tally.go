package harness

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Percentiles of a time in milliseconds.
type Percentiles struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// All is the kind that every request belongs to.
const All = "all"

// tally is what a load counts, by one goroutine or under a lock.
type tally struct {
	times  map[string]*hdrhistogram.Histogram // microseconds
	late   *hdrhistogram.Histogram
	errors map[string]int64
	labels map[string]int64
}

func newTally() *tally {
	return &tally{
		times: map[string]*hdrhistogram.Histogram{All: NewHistogram()}, late: NewHistogram(),
		errors: map[string]int64{}, labels: map[string]int64{},
	}
}

// NewHistogram keeps three digits of up to two minutes, in microseconds.
func NewHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 120_000_000, 3) }

// Record adds a time to a histogram.
func Record(h *hdrhistogram.Histogram, took time.Duration) {
	_ = h.RecordValue(min(max(1, took.Microseconds()), 120_000_000)) // within its bounds
}

func (t *tally) add(kind string, took time.Duration, failure, label string) {
	if failure != "" {
		t.errors[failure]++
		return
	}
	Record(t.times[All], took)
	if kind != "" {
		if t.times[kind] == nil {
			t.times[kind] = NewHistogram()
		}
		Record(t.times[kind], took)
	}
	if label != "" {
		t.labels[label]++
	}
}

func (t *tally) merge(other *tally) {
	for kind, h := range other.times {
		if t.times[kind] == nil {
			t.times[kind] = NewHistogram()
		}
		t.times[kind].Merge(h)
	}
	for kind, n := range other.errors {
		t.errors[kind] += n
	}
	for label, n := range other.labels {
		t.labels[label] += n
	}
}

// PercentilesOf reads them from a histogram of microseconds.
func PercentilesOf(h *hdrhistogram.Histogram) *Percentiles {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return &Percentiles{
		Count: h.TotalCount(), P50: ms(50), P95: ms(95), P99: ms(99), P999: ms(99.9),
		Max: float64(h.Max()) / 1000,
	}
}
