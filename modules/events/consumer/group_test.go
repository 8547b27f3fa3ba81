package consumer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// admin gives f a Kafka administrator.
func (w *world) admin(t *testing.T, f func(sarama.ClusterAdmin) error) {
	t.Helper()
	config, err := w.KafkaConfig.Sarama()
	require.NoError(t, err)
	a, err := sarama.NewClusterAdmin(w.KafkaConfig.Brokers, config)
	require.NoError(t, err)
	require.NoError(t, errors.Join(f(a), a.Close()))
}

// consumeUntilFailure runs a consumer that must end by itself, and says why it did.
func (w *world) consumeUntilFailure(t *testing.T) error {
	t.Helper()
	failed := make(chan error, 1)
	failure := worker.FailureFunc(func(_ string, err error) { failed <- err })
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, failure, prometheus.NewRegistry(),
		zaptest.NewLogger(t))
	require.NoError(t, c.Start(t.Context()))
	defer func() { require.NoError(t, c.Stop(context.Background())) }()
	select {
	case err := <-failed:
		return err
	case <-time.After(20 * time.Second):
		return nil
	}
}

func TestAChangedNumberOfPartitionsIsRefusedWithTheWayOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Partitions = 5
	err := w.consumeUntilFailure(t)
	require.ErrorIs(t, err, kafka.ErrStop)
	require.ErrorContains(t, err, "raise events.epoch")

	w.cfg.Partitions = 4
	stop := w.consume(t)
	w.send(t, stack.RandomEvents(newRand(1), 10)...)
	w.requireExact(t, 10)
	stop()
	w.admin(t, func(a sarama.ClusterAdmin) error {
		return a.CreatePartitions(w.KafkaConfig.Topic(w.cfg.Topic), 6, nil, false)
	})
	w.cfg.Partitions = 6 // the topic and the configuration agree, the ledger remembers
	err = w.consumeUntilFailure(t)
	require.ErrorIs(t, err, kafka.ErrStop)
	require.ErrorContains(t, err, "raise events.epoch")
}

// lose applies 400 events, writes 100 more, and deletes all of them from the log.
func lose(t *testing.T, w *world) {
	t.Helper()
	events := stack.RandomEvents(newRand(2), 500)
	stop := w.consume(t)
	w.send(t, events[:400]...)
	w.requireExact(t, 400)
	stop()
	w.send(t, events[400:]...)
	w.admin(t, func(a sarama.ClusterAdmin) error {
		topic := w.KafkaConfig.Topic(w.cfg.Topic)
		for partition := range w.cfg.Partitions {
			config, err := w.KafkaConfig.Sarama()
			require.NoError(t, err)
			client, err := sarama.NewClient(w.KafkaConfig.Brokers, config)
			require.NoError(t, err)
			end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
			require.NoError(t, errors.Join(err, client.Close()))
			if err := a.DeleteRecords(topic, map[int32]int64{partition: end}); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestLostOffsetsNeedADecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lose(t, w)
	more := stack.RandomEvents(newRand(3), 50)
	w.send(t, more...)

	reg := prometheus.NewRegistry()
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, nil, reg, zaptest.NewLogger(t))
	require.NoError(t, c.Start(t.Context()))
	wait.Until(t, func() bool {
		return value(t, reg, "feedrank_events_partition_stopped") == float64(w.cfg.Partitions)
	}, "every partition waits")
	require.NoError(t, c.Stop(context.Background()))
	require.Equal(t, 400, w.Count(t, "SELECT count() AS n FROM events"))

	w.cfg.OnLostOffsets = "earliest"
	stop := w.consume(t)
	w.requireExact(t, 450)
	wait.Until(t, func() bool {
		return w.Count(t, "SELECT sum(lost) AS n FROM event_ranges") == 100 &&
			w.Count(t, "SELECT sum(last_offset - first_offset + 1) AS n FROM event_ranges") == 550
	})
	stop()
	w.consume(t) // and once more, now that it is written down
	w.requireExact(t, 450)
}

func TestARecreatedTopicNeedsANewEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	events := stack.RandomEvents(newRand(4), 100)
	stop := w.consume(t)
	w.send(t, events...)
	w.requireExact(t, 100)
	stop()
	topic := w.KafkaConfig.Topic(w.cfg.Topic)
	w.admin(t, func(a sarama.ClusterAdmin) error { return a.DeleteTopic(topic) })
	_, err := kafka.EnsureTopics(w.KafkaConfig, topicSpecs(w.cfg.Log, w.KafkaConfig), false)
	require.NoError(t, err)

	reg := prometheus.NewRegistry()
	c := New(w.cfg, w.KafkaConfig, w.ClickHouse, w.dead, core.SystemClock{}, nil, reg, zaptest.NewLogger(t))
	require.NoError(t, c.Start(t.Context()))
	wait.Until(t, func() bool { return value(t, reg, "feedrank_events_partition_stopped", "0") == 1 })
	require.NoError(t, c.Stop(context.Background()))

	w.cfg.Epoch = 2
	require.NoError(t, w.producer.Close()) // it remembers the old topic
	w.producer = kafka.NewProducer(w.KafkaConfig)
	w.send(t, events[:50]...) // copies across the epochs
	w.send(t, stack.RandomEvents(newRand(5), 70)...)
	w.consume(t)
	w.requireExact(t, 170)
}

func TestConsumersJoinAndLeaveWithoutLoss(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(6, 6))
	distinct := 0
	var sending sync.WaitGroup
	sending.Go(func() {
		for range 20 {
			events := stack.RandomEvents(rng, 50)
			distinct += len(events)
			w.send(t, append(events, events[:10]...)...)
		}
	})
	var stops []func()
	for range 3 {
		stops = append(stops, w.consume(t))
	}
	sending.Wait()
	stops[0]()
	stops = append(stops[1:], w.consume(t))
	w.requireExact(t, distinct)
	for _, stop := range stops {
		stop()
	}
}

func TestPoisonNeverBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.consume(t)
	topic := w.KafkaConfig.Topic(w.cfg.Topic)
	for i, poison := range [][]byte{nil, []byte("{"), make([]byte, 900_000), []byte(`{"v":7}`), []byte("\xff\xfe")} {
		require.NoError(t, w.producer.Send(t.Context(),
			&sarama.ProducerMessage{
				Topic: topic, Key: sarama.StringEncoder("7"), Value: sarama.ByteEncoder(poison),
				Timestamp: time.Now(),
			}))
		w.send(t, stack.RandomEvents(newRand(uint64(10+i)), 20)...)
	}
	require.NoError(t, w.producer.Send(t.Context(),
		&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("{}"), Timestamp: time.Now()}))
	w.requireExact(t, 100)
	wait.Until(t, func() bool {
		r := w.dead.Reasons()
		return r["empty"] == 1 && r["malformed"] == 2 && r["oversized"] == 1 && r["newer_version"] == 1 &&
			r["bad_key"] == 1
	}, "%v", w.dead.Reasons())
}
