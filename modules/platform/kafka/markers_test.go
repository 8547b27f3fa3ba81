package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/txn"
	"github.com/feedrank/feedrank/test/wait"
)

func record(topic, value string) txn.Record {
	return txn.Record{Topic: topic, Key: []byte(value), Value: []byte(value)}
}

func bounds(t *testing.T, cfg kafka.Config, topic string) (oldest, end int64) {
	t.Helper()
	config, err := cfg.Sarama()
	require.NoError(t, err)
	client, err := sarama.NewClient(cfg.Brokers, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	oldest, end, err = kafka.Bounds(client, topic, 0)
	require.NoError(t, err)
	return oldest, end
}

func TestBoundsLeaveOutWhatNoReaderGets(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	ends := func() int64 {
		oldest, end := bounds(t, cfg, topic)
		require.Zero(t, oldest)
		return end
	}
	require.EqualValues(t, 0, ends(), "nothing yet")
	txn.Send(t, cfg.Brokers, false, record(topic, "taken back"))
	require.EqualValues(t, 0, ends(), "a record that was taken back, and its marker")
	txn.Send(t, cfg.Brokers, true, record(topic, "a"), record(topic, "b"))
	require.EqualValues(t, 4, ends(), "offsets 2 and 3, before a marker")
	for range 3 {
		txn.Send(t, cfg.Brokers, false, record(topic, "x"), record(topic, "y"))
	}
	require.EqualValues(t, 4, ends(), "9 offsets after them hold nothing")
	send(t, cfg, topic, 0, 1)
	require.EqualValues(t, 15, ends(), "a record of no transaction is the last one")
}

func TestWhatWasTakenBackIsNotTailed(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	var all seen
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	tail := kafka.NewTail(cfg, []string{topic}, time.Now().Add(-time.Minute), all.add, zaptest.NewLogger(t))
	go func() { ended <- tail.Run(ctx) }()
	txn.Send(t, cfg.Brokers, false, record(topic, "taken back"))
	txn.Send(t, cfg.Brokers, true, record(topic, "committed"))
	wait.Until(t, func() bool { return all.count() > 0 })
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, map[string]int{"committed": 1}, all.values)
}

func TestPartitionsThatAreAddedAreTailed(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	var all seen
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	tail := kafka.NewTail(cfg, []string{topic}, time.Now(), all.add, zaptest.NewLogger(t))
	go func() { ended <- tail.Run(ctx) }()
	txn.Send(t, cfg.Brokers, true, record(topic, "before"))
	wait.Until(t, func() bool { return all.count() == 1 })
	grow(t, cfg, topic, 4)
	for p := range int32(4) {
		r := record(topic, string('a'+p))
		r.Partition = p
		txn.Send(t, cfg.Brokers, true, r)
	}
	wait.Until(t, func() bool { return all.count() == 5 })
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func grow(t *testing.T, cfg kafka.Config, topic string, partitions int32) {
	t.Helper()
	config, err := cfg.Sarama()
	require.NoError(t, err)
	admin, err := sarama.NewClusterAdmin(cfg.Brokers, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	require.NoError(t, admin.CreatePartitions(topic, partitions, nil, false))
}

// follower reads a partition into a queue and keeps what it was told of the end.
type follower struct {
	markers *kafka.Markers
	queue   *kafka.Queue
	passed  chan int64
}

func (f *follower) Joined(_ sarama.ConsumerGroup, markers *kafka.Markers) { f.markers = markers }
func (f *follower) Setup(sarama.ConsumerGroupSession) error               { return nil }
func (f *follower) Cleanup(sarama.ConsumerGroupSession) error             { return nil }

func (f *follower) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	f.markers.Follow(session.Context(), f.queue, claim)
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			f.queue.Push(m)
			f.queue.Pop()
			f.queue.Applied()
		case <-f.queue.Ready():
			if upto := f.queue.Passed(); upto > 0 {
				f.passed <- upto
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func TestALogThatEndsInMarkersIsReadToItsEnd(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	txn.Send(t, cfg.Brokers, true, record(topic, "a"), record(topic, "b"))
	txn.Send(t, cfg.Brokers, false, record(topic, "taken back"))
	f := &follower{queue: kafka.NewQueue(1<<20, core.SystemClock{}, func() {}, func() {}), passed: make(chan int64, 8)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- kafka.RunGroup(ctx, cfg, "readers", []string{topic}, f, core.SystemClock{}, zaptest.NewLogger(t))
	}()
	require.EqualValues(t, 5, <-f.passed, "two records, their marker, one that was taken back, its marker")
	txn.Send(t, cfg.Brokers, true, record(topic, "c"))
	require.EqualValues(t, 7, <-f.passed)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}
