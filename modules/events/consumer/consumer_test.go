package consumer

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

type world struct {
	*stack.Stack
	cfg      partition.Config
	producer *kafka.Producer
	dead     *stack.DeadLetters
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Stack: stack.OfEvents(t), cfg: partition.DefaultConfig(), dead: &stack.DeadLetters{}}
	w.KafkaConfig.SessionTimeout = 6 * time.Second
	w.cfg.InsertTimeout = 10 * time.Second // on a busy machine an insert may take its time
	_, err := kafka.EnsureTopics(w.KafkaConfig, topicSpecs(w.cfg.Log, w.KafkaConfig), false)
	require.NoError(t, err)
	w.producer = kafka.NewProducer(w.KafkaConfig)
	t.Cleanup(func() { require.NoError(t, w.producer.Close()) })
	return w
}

// consume runs a consumer until the test ends or stop is called.
func (w *world) consume(t *testing.T, options ...Option) (stop func()) {
	t.Helper()
	failure := worker.FailureFunc(func(name string, err error) { t.Errorf("%s: %v", name, err) })
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, failure, prometheus.NewRegistry(),
		zaptest.NewLogger(t), options...)
	require.NoError(t, c.Start(t.Context()))
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			require.NoError(t, c.Stop(ctx))
		})
	}
	t.Cleanup(stop)
	return stop
}

func (w *world) send(t *testing.T, events ...core.Event) {
	t.Helper()
	messages := make([]*sarama.ProducerMessage, len(events))
	for i, e := range events {
		messages[i] = codec.Record(w.KafkaConfig.Topic(w.cfg.Topic), e)
	}
	require.NoError(t, w.producer.Send(t.Context(), messages...))
}

// requireExact waits until so many events are in the raw table and compares both views with it.
func (w *world) requireExact(t *testing.T, distinct int) {
	t.Helper()
	wait.Until(t, func() bool { // an insert reaches the raw table first, then the views
		return w.Count(t, "SELECT count() AS n FROM events") >= distinct && w.differing(t) == 0
	})
	w.requireViews(t, distinct)
}

func (w *world) requireViews(t *testing.T, distinct int) {
	t.Helper()
	require.Equal(t, distinct, w.Count(t, "SELECT count() AS n FROM events"))
	require.Equal(t, distinct, w.Count(t, "SELECT uniqExact(user_id, event_id) AS n FROM events"))
	require.Equal(t, distinct, w.Count(t, "SELECT uniqExact(epoch, kafka_partition, kafka_offset) AS n FROM events"))
	require.Zero(t, w.differing(t), "buckets of views that differ from the raw table")
}

func (w *world) differing(t *testing.T) (wrong uint64) {
	t.Helper()
	for partition := range w.cfg.Partitions {
		for _, view := range stack.EventViews() {
			wrong += w.Differing(t, view, uint16(partition))
		}
	}
	return wrong
}

func TestEveryEventIsAppliedOnceThroughDuplicatesAndRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(1, 2))
	events := stack.RandomEvents(rng, 2000)
	stop := w.consume(t)
	w.send(t, events[:1000]...)
	w.send(t, events[500:1000]...)
	w.requireExact(t, 1000)
	stop()

	moved := events[3] // the same event with another time
	moved.OccurredAt = moved.OccurredAt.Add(-26 * time.Hour)
	other := events[4] // the same id of another user
	other.UserID += 50
	w.send(t, moved, other)
	w.send(t, events...)
	w.consume(t)
	w.requireExact(t, 2001)
	wait.Until(t, func() bool {
		return w.Count(t, "SELECT sum(rows + duplicates + dead_letters) AS n FROM event_ranges") == 1500+2002
	})
	require.Empty(t, w.dead.Reasons())
}

// TestAPartitionThatStaysGoesOnAndOneThatWasAwayIsTakenAnew has sessions end and begin without anybody
// else in between, and then with somebody who applies events of which copies follow.
func TestAPartitionThatStaysGoesOnAndOneThatWasAwayIsTakenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Dedup.Window = 2 * w.cfg.Batch.MaxRows
	events := stack.RandomEvents(newRand(12), 900)
	reg := prometheus.NewRegistry()
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, nil, reg, zaptest.NewLogger(t))
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	fills := func() int { return int(value(t, reg, "feedrank_events_filter_fills_total")) }
	// A session with all partitions: the consumer's group client is made anew each time.
	session := func(sent ...core.Event) {
		require.NoError(t, c.Start(t.Context()))
		w.send(t, sent...)
	}
	end := func() {
		require.NoError(t, c.Stop(context.Background()))
		c.workers = worker.NewGroup(nil)
	}
	session(events[:300]...)
	w.requireExact(t, 300)
	require.Equal(t, 4, fills())
	end()
	session(events[:600]...)
	w.requireExact(t, 600)
	require.Equal(t, 4, fills(), "nobody else has written")
	require.EqualValues(t, 4, value(t, reg, "feedrank_events_resumed_total"))
	require.EqualValues(t, 4, value(t, reg, "feedrank_events_fences_total"))
	end()

	stop := w.consume(t)
	w.send(t, events[:800]...)
	w.requireExact(t, 800)
	stop()
	session(events...)
	w.requireExact(t, 900)
	require.Equal(t, 8, fills(), "somebody else has")
	require.EqualValues(t, 4, value(t, reg, "feedrank_events_resumed_total"))
	end()
}
