package events

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
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
	tape.cfg = DefaultConfig()
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
		require.NoError(b, wait(b.Context(), time.Millisecond))
	}
	b.StopTimer()
	b.ReportMetric(float64(len(tape.log))/(cpu(b)-used).Seconds(), "events/cpu-s")
	b.ReportMetric(float64(len(tape.log))/time.Since(began).Seconds(), "events/s")
	o.cancel()
	<-o.done
}

// BenchmarkDecide is what deduplication costs an event that is new: window and filters of 30 days.
func BenchmarkDecide(b *testing.B) {
	m := newMetricsForBench()
	d := newDedup(DefaultConfig().Dedup, nil, m)
	for day := range int32(30) {
		d.filter.of(day, 1_000_000)
		for i := range uint64(1000) {
			d.filter.add(day, numbered(i<<20|uint64(day)).hash())
		}
	}
	batch := &batch{}
	b.ReportAllocs()
	for i := 0; i < b.N; {
		b.StopTimer()
		batch.reset(int64(i))
		for ; i < b.N && len(batch.rows) < 20_000; i++ {
			id := numbered(uint64(i))
			batch.rows = append(batch.rows, row{event: event{user: id.user, id: id.id}, offset: int64(i)})
		}
		b.StartTimer()
		d.decide(batch, nil)
	}
}

// BenchmarkDecode is what reading a record costs.
func BenchmarkDecode(b *testing.B) {
	tape := newTape(nil, 1, 8)
	cfg := DefaultConfig()
	cfg.Partitions = 1024
	reader := newRecordReader(cfg)
	b.ReportAllocs()
	var e event
	for i := range b.N {
		reader.read(tape.log[i%len(tape.log)], &e)
	}
}
