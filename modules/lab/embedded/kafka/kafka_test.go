package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/modules/lab/embedded/kafka"
)

func TestMain(m *testing.M) {
	// sarama's metrics library keeps one for the life of the program.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

// serve runs a broker and returns its address, and a function that stops it.
func serve(t *testing.T, opts kafka.Options) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addrs, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- kafka.Run(ctx, opts, func(a string) { addrs <- a }) }()
	return <-addrs, func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V2_8_0_0
	c.Producer.Return.Successes = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	return c
}

func createTopic(t *testing.T, addr, topic string, partitions int32) {
	t.Helper()
	admin, err := sarama.NewClusterAdmin([]string{addr}, config())
	require.NoError(t, err)
	require.NoError(t, admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1},
		false))
	require.NoError(t, admin.Close())
}

func produce(t *testing.T, addr, topic, value string) error {
	t.Helper()
	producer, err := sarama.NewSyncProducer([]string{addr}, config())
	require.NoError(t, err)
	defer func() { require.NoError(t, producer.Close()) }()
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
	return err
}

// reader takes the first record of a claim, commits it and ends.
type reader struct {
	got    chan string
	cancel context.CancelFunc
}

func (*reader) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*reader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	select {
	case record, ok := <-claim.Messages():
		if ok {
			session.MarkMessage(record, "")
			session.Commit()
			r.got <- string(record.Value)
			r.cancel()
		}
	case <-session.Context().Done():
	}
	return nil
}

// readOne joins a group and returns the next record and how long it took.
func readOne(t *testing.T, addr, group, topic string) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	members, err := sarama.NewConsumerGroup([]string{addr}, group, config())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	r := &reader{got: make(chan string, 1), cancel: cancel}
	require.NoError(t, members.Consume(ctx, []string{topic}, r))
	require.NoError(t, members.Close())
	return <-r.got, time.Since(began)
}

func TestRecordsAndCommittedOffsetsSurviveARestart(t *testing.T) {
	opts := kafka.Options{Addr: "127.0.0.1:0", DataDir: t.TempDir()}
	addr, stop := serve(t, opts)
	createTopic(t, addr, "words", 1)
	require.NoError(t, produce(t, addr, "words", "a"))
	require.NoError(t, produce(t, addr, "words", "b"))
	word, took := readOne(t, addr, "readers", "words")
	require.Equal(t, "a", word)
	require.Less(t, took, 2*time.Second, "a group that is complete does not wait for more members")
	stop()

	addr, stop = serve(t, opts)
	defer stop()
	word, _ = readOne(t, addr, "readers", "words")
	require.Equal(t, "b", word)
}

func TestTopicsAreNotMadeByUsingThem(t *testing.T) {
	addr, stop := serve(t, kafka.Options{Addr: "127.0.0.1:0", DataDir: t.TempDir()})
	defer stop()
	require.ErrorIs(t, produce(t, addr, "typo", "a"), sarama.ErrUnknownTopicOrPartition)
}

func TestAnAddressThatIsNotLoopbackIsRefused(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:1", "localhost:1", "127.0.0.1", "127.0.0.1:kafka"} {
		err := kafka.Run(context.Background(), kafka.Options{Addr: addr, DataDir: t.TempDir()}, func(string) {})
		require.ErrorContains(t, err, addr)
	}
}
