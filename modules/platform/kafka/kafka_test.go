package kafka_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { stack.Main(m, embeddedtest.Only(embedded.Kafka)) }

func config(t *testing.T) kafka.Config {
	t.Helper()
	cfg := stack.Configs(embeddedtest.Stack(t).Addresses()).KafkaConfig
	cfg.TopicPrefix = embeddedtest.Prefix(t)
	cfg.SessionTimeout = 6 * time.Second
	return cfg
}

func create(t *testing.T, cfg kafka.Config, partitions int32) string {
	t.Helper()
	topic := cfg.Topic("things")
	changes, err := kafka.EnsureTopics(cfg, []kafka.TopicSpec{{Name: topic, Partitions: partitions}}, false)
	require.NoError(t, err)
	require.Equal(t, "create", changes[0].Action)
	return topic
}

func send(t *testing.T, cfg kafka.Config, topic string, from, to int) {
	t.Helper()
	producer := kafka.NewProducer(cfg)
	defer func() { require.NoError(t, producer.Close()) }()
	for i := from; i < to; i++ {
		text := sarama.StringEncoder(strconv.Itoa(i))
		require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{Topic: topic, Key: text, Value: text}))
	}
}

// seen collects values and says when there are enough.
type seen struct {
	mu     sync.Mutex
	values map[string]int
}

func (s *seen) add(m *sarama.ConsumerMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]int{}
	}
	s.values[string(m.Value)]++
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.values)
}

func TestTopicsAreCreatedOnceAndNeverChanged(t *testing.T) {
	cfg := config(t)
	topic := cfg.Topic("things")
	want := func(partitions int32, dryRun bool) string {
		changes, err := kafka.EnsureTopics(cfg,
			[]kafka.TopicSpec{{Name: topic, Partitions: partitions, Retention: time.Hour}}, dryRun)
		require.NoError(t, err)
		return changes[0].Action
	}
	require.Equal(t, "create", want(3, true))
	require.Equal(t, "create", want(3, false), "the dry run created nothing")
	require.Equal(t, "keep", want(3, false))
	require.Contains(t, want(4, false), "differs: has 3 partitions, configured are 4")
}

func TestATailReadsEveryPartitionFromAMomentOn(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 3)
	send(t, cfg, topic, 0, 20)

	var all seen
	tail := kafka.NewTail(cfg, []string{topic}, time.Now().Add(-time.Hour), all.add, zaptest.NewLogger(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tail.Run(ctx) }()
	wait.Until(t, func() bool { return all.count() == 20 })
	send(t, cfg, topic, 20, 40)
	wait.Until(t, func() bool { return all.count() == 40 })
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	for value, times := range all.values {
		require.Equal(t, 1, times, value)
	}
}

func TestATailGoesOnAfterTheBrokerWasKilled(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.Kafka)
	cfg := stack.Configs(servers.Addresses()).KafkaConfig
	topic := create(t, cfg, 2)
	var all seen
	tail := kafka.NewTail(cfg, []string{topic}, time.Now().Add(-time.Hour), all.add, zaptest.NewLogger(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tail.Run(ctx) }()
	send(t, cfg, topic, 0, 10)
	wait.Until(t, func() bool { return all.count() == 10 })
	require.NoError(t, servers.Kafka.Kill())
	require.NoError(t, servers.Kafka.Start(t.Context()))
	send(t, cfg, topic, 10, 20)
	wait.Until(t, func() bool { return all.count() == 20 })
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// marking is a group handler that commits what it has seen.
type marking struct{ all *seen }

func (marking) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (marking) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h marking) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			h.all.add(message)
			session.MarkMessage(message, "")
			session.Commit()
		}
	}
}

func TestAGroupStartsAtTheBeginningAndGoesOnWhereItCommitted(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 2)
	send(t, cfg, topic, 0, 10)
	consume := func(want int) *seen {
		var all seen
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- kafka.RunGroup(ctx, cfg, "readers", []string{topic}, marking{&all}, core.SystemClock{},
				zaptest.NewLogger(t))
		}()
		wait.Until(t, func() bool { return all.count() == want })
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		return &all
	}
	consume(10)
	send(t, cfg, topic, 10, 15)
	second := consume(5)
	require.Contains(t, second.values, "10")
	require.NotContains(t, second.values, "9")
}

func TestASendToALostBrokerEndsWithItsContext(t *testing.T) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers = []string{"127.0.0.1:1"}
	producer := kafka.NewProducer(cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, producer.Send(ctx, &sarama.ProducerMessage{Topic: "t", Value: sarama.StringEncoder("v")}))
	require.Error(t, cfg.Ping(t.Context()))
	require.NoError(t, producer.Close())
	require.ErrorIs(t, producer.Send(t.Context(), &sarama.ProducerMessage{Topic: "t"}), kafka.ErrProducerClosed)
}

func TestALogThatTakesNothingIsNotWellThoughItsBrokersAnswer(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	producer := kafka.NewProducer(cfg)
	defer func() { require.NoError(t, producer.Close()) }()
	text := sarama.StringEncoder("1")
	require.NoError(t, producer.Probe(t.Context()))

	require.Error(t, producer.Send(t.Context(), &sarama.ProducerMessage{Topic: cfg.Topic("nowhere"), Value: text}))
	require.NoError(t, cfg.Ping(t.Context()))
	require.ErrorContains(t, producer.Probe(t.Context()), "the last record was not taken")

	require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{Topic: topic, Value: text}))
	require.NoError(t, producer.Probe(t.Context()))
}

// TestAProducerIsClosedAfterSendsThatNobodyWaitsFor has what was to be sent be given up, and closes at once.
func TestAProducerIsClosedAfterSendsThatNobodyWaitsFor(t *testing.T) {
	cfg := config(t)
	topic := create(t, cfg, 1)
	const messages = 20_000
	for range 5 {
		producer := kafka.NewProducer(cfg)
		require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{Topic: topic}))
		ctx, giveUp := context.WithCancel(t.Context())
		all := make([]*sarama.ProducerMessage, messages)
		for i := range all {
			all[i] = &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(strconv.Itoa(i))}
		}
		sending := make(chan error, 1)
		go func() { sending <- producer.Send(ctx, all...) }()
		time.AfterFunc(5*time.Millisecond, giveUp)
		require.ErrorIs(t, <-sending, context.Canceled)
		require.NoError(t, producer.Close())
	}
}
