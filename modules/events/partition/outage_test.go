package partition

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// through waits until the fake is applied to its end.
func (t *fakePartition) through(tb testing.TB, o *owner) {
	tb.Helper()
	wait.Until(tb, func() bool { return t.committed.Load() == int64(len(t.log)) })
	o.cancel()
	<-o.done
}

func TestNothingIsLostOrDoubledWheneverClickHouseIsKilled(t *testing.T) {
	t.Parallel()
	s := stack.OwnClickHouse(t)
	for i, step := range allFailpoints() {
		t.Run(string(step), func(t *testing.T) {
			fake := newFakePartition(s, uint16(i), 2)
			back := make(chan error, 1)
			o := fake.run(t.Context(), at(step, nth(step), func() {
				if err := s.Servers.ClickHouse.Kill(); err != nil {
					t.Error(err)
				}
				go func() { back <- s.Servers.ClickHouse.Start(t.Context()) }()
			}))
			fake.through(t, o)
			require.NoError(t, <-back)
			fake.requireExact(t)
		})
	}
}

func TestAFrozenClickHouseLeavesNothingUncertain(t *testing.T) {
	t.Parallel()
	s := stack.OwnClickHouse(t)
	fake := newFakePartition(s, 0, 3)
	fake.cfg.InsertTimeout = 5 * time.Second // on a busy machine an insert may take its time
	timeouts := fake.metrics.uncertain.WithLabelValues("timeout")
	thawed := make(chan error, 1)
	o := fake.run(t.Context(), at(AtInserting, 3, func() {
		if err := s.Servers.ClickHouse.Freeze(); err != nil {
			t.Error(err)
		}
		go func() {
			looks := time.NewTicker(10 * time.Millisecond)
			defer looks.Stop()
			for range 6000 { // a minute at most
				if <-looks.C; testutil.ToFloat64(timeouts) > 0 {
					break
				}
			}
			thawed <- s.Servers.ClickHouse.Thaw()
		}()
	}))
	fake.through(t, o)
	require.NoError(t, <-thawed)
	fake.requireExact(t)
	require.Positive(t, testutil.ToFloat64(timeouts))
}

func TestDataThatClickHouseRefusesStopsItsPartitionAlone(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	sick, well := newFakePartition(s, 1, 4), newFakePartition(s, 2, 4)
	s.Exec(t, "ALTER TABLE events ADD CONSTRAINT no_ones CHECK kafka_partition != 1")
	first := sick.run(t.Context(), noFailpoints{})
	second := well.run(t.Context(), noFailpoints{})
	well.through(t, second)
	well.requireExact(t)
	stopped := sick.metrics.stopped.WithLabelValues("1")
	wait.Until(t, func() bool { return testutil.ToFloat64(stopped) == 1 })
	require.Zero(t, sick.committed.Load())

	s.Exec(t, "ALTER TABLE events DROP CONSTRAINT no_ones")
	sick.through(t, first)
	require.Zero(t, testutil.ToFloat64(stopped))
	sick.requireExact(t)
}

func TestAViewThatThrowsLeavesOursExact(t *testing.T) {
	t.Parallel()
	s := stack.OfEvents(t)
	fake := newFakePartition(s, 1, 5)
	// Somebody's own view fails: the raw rows and some of the views are written, and the insert fails.
	s.Exec(t, "CREATE TABLE refused (n UInt8) ENGINE = Null")
	s.Exec(t, "CREATE MATERIALIZED VIEW a_refusing TO refused AS SELECT throwIf(action = 'like', 'no') AS n FROM events")
	fake.through(t, fake.run(t.Context(), noFailpoints{}))
	fake.requireExact(t)
	require.Positive(t, testutil.ToFloat64(fake.metrics.reconciled))
}
