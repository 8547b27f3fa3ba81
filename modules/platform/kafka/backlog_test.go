package kafka_test

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// stepClock is moved by hand.
type stepClock struct{ now time.Time }

func (c *stepClock) Now() time.Time { return c.now }

// log is a partition in Kafka, which holds offsets up to its end.
type log struct{ first, end int64 }

func (l *log) InitialOffset() int64       { return l.first }
func (l *log) HighWaterMarkOffset() int64 { return l.end }

func TestTheBacklogIsThatOfThisMomentWhetherAnythingIsAppliedOrNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := &stepClock{now: time.Unix(1_700_000_000, 0)}
		first := rapid.Int64Range(0, 100).Draw(t, "first")
		partition := &log{first: first, end: first}
		q := kafka.NewQueue(1<<30, clock, func() {}, func() {})
		b := kafka.NewBacklog("test_", clock, "partition")
		reg := prometheus.NewRegistry()
		reg.MustRegister(b)
		forget := b.Watch(q, partition, "7")

		var produced []time.Time // since first
		pushed, popped, applied := 0, 0, 0
		t.Repeat(map[string]func(*rapid.T){
			"produce": func(*rapid.T) { produced, partition.end = append(produced, clock.now), partition.end+1 },
			"fetch": func(*rapid.T) {
				if pushed < len(produced) {
					q.Push(&sarama.ConsumerMessage{Offset: first + int64(pushed), Timestamp: produced[pushed]})
					pushed++
				}
			},
			"pop": func(*rapid.T) {
				if m, _ := q.Pop(); m != nil {
					popped++
				}
			},
			"apply": func(*rapid.T) { q.Applied(); applied = popped },
			"wait":  func(*rapid.T) { clock.now = clock.now.Add(time.Second) },
			"": func(*rapid.T) {
				age := 0.0
				if applied < pushed {
					age = clock.now.Sub(produced[applied]).Seconds()
				}
				found := gauges(t, reg)
				require.InDelta(t, len(produced)-applied, found["test_lag_records"], 0)
				require.InDelta(t, age, found["test_lag_seconds"], 0)
				require.InDelta(t, q.Waiting(), found["test_queue_bytes"], 0)
			},
		})
		forget()
		require.Empty(t, gauges(t, reg))
	})
}

func gauges(t require.TestingT, reg *prometheus.Registry) map[string]float64 {
	families, err := reg.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, f := range families {
		found[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
	}
	return found
}

func TestWhatStandsStillHasRecordsThatWait(t *testing.T) {
	clock := &stepClock{now: time.Unix(1_700_000_000, 0)}
	newQueue := func() *kafka.Queue { return kafka.NewQueue(1<<30, clock, func() {}, func() {}) }
	b := kafka.NewBacklog("test_", clock, "partition")
	never := &log{first: sarama.OffsetOldest} // nothing was ever committed, nor written
	defer b.Watch(newQueue(), never, "empty")()
	defer b.Watch(newQueue(), &log{first: 7, end: 7}, "read to its end")()
	pass := func(seconds int) (err error) {
		for range seconds {
			clock.now = clock.now.Add(time.Second)
			err = b.Check()
		}
		return err
	}
	require.NoError(t, pass(600))

	never.end = 1 // a record is written, and fetched
	q := newQueue()
	q.Push(&sarama.ConsumerMessage{Offset: 0, Timestamp: clock.now})
	defer b.Watch(q, never, "waits")()
	require.NoError(t, pass(50))
	require.ErrorContains(t, pass(20), "waits at offset 0")
	_, _ = q.Pop()
	require.ErrorContains(t, pass(1), "waits at offset 0", "it is being applied, and is not yet")
	q.Applied()
	require.NoError(t, pass(600))
}
