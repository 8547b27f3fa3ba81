package dedup

import (
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/window"
)

func someCounts() Counts {
	c := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{}) }
	return Counts{InWindow: c(), InTable: c(), Confirmed: c(), Dismissed: c(), StateLookups: c(), Fills: c()}
}

// BenchmarkDecide is what deduplication costs an event that is new: window and filters of 30 days.
func BenchmarkDecide(b *testing.B) {
	d := NewIDs(DefaultConfig(), nil, someCounts())
	for day := range int32(30) {
		d.filter.of(day, 1_000_000)
		for i := range uint64(1000) {
			d.filter.add(day, numbered(i<<20|uint64(day)).Hash())
		}
	}
	var rows []ledger.Row
	b.ReportAllocs()
	for i := 0; i < b.N; {
		b.StopTimer()
		rows = rows[:0]
		for ; i < b.N && len(rows) < 20_000; i++ {
			id := numbered(uint64(i))
			rows = append(rows, ledger.Row{Event: codec.Event{User: id.User, ID: id.ID}, Offset: int64(i)})
		}
		b.StartTimer()
		rows, _ = d.Decide(rows, nil)
	}
}

// BenchmarkWindow is what the window costs an event: a look, and the id kept.
func BenchmarkWindow(b *testing.B) {
	w := window.New[codec.Identity, int64](DefaultConfig().Window)
	ids := manyIDs(b)
	b.ReportAllocs()
	for i := range b.N {
		id := ids[i&(len(ids)-1)]
		if _, seen := w.Find(id); !seen {
			w.Add(id, int64(i))
		}
	}
}

// BenchmarkFilter is what the filter costs an event that is new, with 10 million ids in 30 days.
func BenchmarkFilter(b *testing.B) {
	f := newFilter(DefaultConfig().BitsPerID)
	rng := rand.New(rand.NewPCG(1, 1))
	for day := range int32(30) {
		d := f.of(day, 333_333)
		for range 333_333 {
			d.add(rng.Uint64())
		}
	}
	ids := manyIDs(b)
	var days []int32
	b.ReportAllocs()
	b.ResetTimer()
	suspects := 0
	for i := range b.N {
		days = f.candidates(ids[i&(len(ids)-1)].Hash(), days[:0])
		suspects += min(1, len(days))
	}
	b.ReportMetric(100*float64(suspects)/float64(b.N), "%suspects")
	b.ReportMetric(float64(f.bytes())/10e6, "B/id")
}

// BenchmarkFilterFill is what an id of the raw table costs the filter, where a partition has 25 million.
func BenchmarkFilterFill(b *testing.B) {
	const ids = 25_000_000
	rng := rand.New(rand.NewPCG(1, 1))
	hashes := make([]uint64, 65_536)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	d := newFilter(DefaultConfig().BitsPerID).of(0, ids)
	for i := 0; b.Loop(); i++ {
		step := uint64(i) * 0x9e3779b97f4a7c15
		for j := range hashes {
			hashes[j] += step
		}
		d.addAll(hashes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(hashes)), "ns/id")
}

// manyIDs are more ids than the window holds.
func manyIDs(b *testing.B) []codec.Identity {
	ids := make([]codec.Identity, 1<<19)
	for i := range ids {
		ids[i] = numbered(uint64(i))
	}
	b.ResetTimer()
	return ids
}
