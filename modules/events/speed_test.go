package events

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// cpu is the processor time of this process; the servers are processes of their own.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkApply brings events from memory through decoding, deduplication and the insert into
// ClickHouse with both views. events/cpu-s is events for each second of our own processor time, which
// is what one core could do; events/s includes waiting for ClickHouse on the same machine.
func BenchmarkApply(b *testing.B) {
	s := newStack(b)
	tape := newTape(s, 1, 8)
	tape.cfg = DefaultConfig().Consumer()
	tape.cfg.Partitions = 1024
	user := core.ID(mustUser(tape))
	rng := newRand(1)
	for _, e := range randomEvents(rng, b.N) {
		e.UserID = user
		e.PostID = core.ID(1 + rng.IntN(5000))
		tape.append(e)
	}
	b.ReportAllocs()
	b.ResetTimer()
	began, used := time.Now(), cpu(b)
	o := tape.play(b.Context(), noSteps{})
	for tape.committed.Load() < int64(len(tape.log)) {
		require.NoError(b, worker.Pause(b.Context(), time.Millisecond))
	}
	b.StopTimer()
	b.ReportMetric(float64(len(tape.log))/(cpu(b)-used).Seconds(), "events/cpu-s")
	b.ReportMetric(float64(len(tape.log))/time.Since(began).Seconds(), "events/s")
	o.cancel()
	<-o.done
}

// BenchmarkDecide is what deduplication costs an event that is new: window and filters of 30 days.
func BenchmarkDecide(b *testing.B) {
	d := newDedup(DefaultConfig().Dedup, nil, newMetricsForBench().dedup)
	for day := range int32(30) {
		d.filter.of(day, 1_000_000)
		for i := range uint64(1000) {
			d.filter.add(day, numbered(i<<20|uint64(day)).hash())
		}
	}
	var rows []row
	b.ReportAllocs()
	for i := 0; i < b.N; {
		b.StopTimer()
		rows = rows[:0]
		for ; i < b.N && len(rows) < 20_000; i++ {
			id := numbered(uint64(i))
			rows = append(rows, row{event: event{user: id.user, id: id.id}, offset: int64(i)})
		}
		b.StartTimer()
		rows, _ = d.decide(rows, nil)
	}
}

// BenchmarkDecode is what reading a record costs.
func BenchmarkDecode(b *testing.B) {
	tape := newTape(nil, 1, 8)
	cfg := DefaultConfig()
	cfg.Partitions = 1024
	reader := newRecordReader(cfg.Log())
	b.ReportAllocs()
	var e event
	for i := range b.N {
		reader.read(tape.log[i%len(tape.log)], &e)
	}
}

// BenchmarkWindow is what the window costs an event: a look, and the id kept.
func BenchmarkWindow(b *testing.B) {
	w := newWindow[identity, int64](DefaultConfig().Dedup.Window)
	ids := manyIDs(b)
	b.ReportAllocs()
	for i := range b.N {
		id := ids[i&(len(ids)-1)]
		if _, seen := w.find(id); !seen {
			w.add(id, int64(i))
		}
	}
}

// BenchmarkFilter is what the filter costs an event that is new, with 10 million ids in 30 days.
func BenchmarkFilter(b *testing.B) {
	f := newFilter(DefaultConfig().Dedup.BitsPerID)
	rng := newRand(1)
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
		days = f.candidates(ids[i&(len(ids)-1)].hash(), days[:0])
		suspects += min(1, len(days))
	}
	b.ReportMetric(100*float64(suspects)/float64(b.N), "%suspects")
	b.ReportMetric(float64(f.bytes())/10e6, "B/id")
}

// BenchmarkFilterFill is what an id of the raw table costs the filter, where a partition has 25 million.
func BenchmarkFilterFill(b *testing.B) {
	const ids = 25_000_000
	rng := newRand(1)
	hashes := make([]uint64, 65_536)
	for i := range hashes {
		hashes[i] = rng.Uint64()
	}
	d := newFilter(DefaultConfig().Dedup.BitsPerID).of(0, ids)
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
func manyIDs(b *testing.B) []identity {
	ids := make([]identity, 1<<19)
	for i := range ids {
		ids[i] = numbered(uint64(i))
	}
	b.ResetTimer()
	return ids
}

// BenchmarkFence is what ClickHouse takes for an insert of 10,000 rows, with the fence and without.
func BenchmarkFence(b *testing.B) {
	for _, fenced := range []bool{true, false} {
		b.Run(fmt.Sprintf("fenced=%t", fenced), func(b *testing.B) {
			s := newStack(b)
			if !fenced {
				exec(b, s, "ALTER TABLE events DROP CONSTRAINT fenced")
			}
			l := ledgerOf(s, 0)
			f := nextFence(b, l)
			const size = 10_000
			rows := make([]row, size)
			b.ResetTimer()
			for i := range b.N {
				for k := range rows {
					rows[k] = oneRow(int64(i*size + k))
				}
				require.NoError(b, l.insert(b.Context(), f, rows, false))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/event")
		})
	}
}
