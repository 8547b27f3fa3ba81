package partition

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/stack"
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
	s := stack.OfEvents(b)
	fake := newFakePartition(s, 1, 8)
	fake.cfg = DefaultConfig()
	fake.cfg.Partitions = 1024
	user := core.ID(mustUser(fake))
	rng := newRand(1)
	for _, e := range stack.RandomEvents(rng, b.N) {
		e.UserID = user
		e.PostID = core.ID(1 + rng.IntN(5000))
		fake.append(e)
	}
	b.ReportAllocs()
	b.ResetTimer()
	began, used := time.Now(), cpu(b)
	o := fake.run(b.Context(), noFailpoints{})
	for fake.committed.Load() < int64(len(fake.log)) {
		require.NoError(b, worker.Pause(b.Context(), time.Millisecond))
	}
	b.StopTimer()
	b.ReportMetric(float64(len(fake.log))/(cpu(b)-used).Seconds(), "events/cpu-s")
	b.ReportMetric(float64(len(fake.log))/time.Since(began).Seconds(), "events/s")
	o.cancel()
	<-o.done
}
