package kafka_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feedrank/feedrank/modules/lab/embedded/kafka"
)

// collector reads everything that it is given.
type collector struct {
	joined chan struct{} // a signal for each generation
	values chan string
}

func (c *collector) Setup(sarama.ConsumerGroupSession) error {
	c.joined <- struct{}{}
	return nil
}
func (*collector) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (c *collector) ConsumeClaim(_ sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for record := range claim.Messages() {
		c.values <- string(record.Value)
	}
	return nil
}

// collect is a member of a group until the test ends.
func collect(t *testing.T, addr, group, topic string) *collector {
	t.Helper()
	settings := config()
	settings.Consumer.Group.Session.Timeout = 3 * time.Second // giving up claims takes it nearly one
	settings.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	members, err := sarama.NewConsumerGroup([]string{addr}, group, settings)
	require.NoError(t, err)
	c := &collector{joined: make(chan struct{}, 100), values: make(chan string, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			_ = members.Consume(ctx, []string{topic}, c) // it joins again
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
		require.NoError(t, members.Close())
	})
	return c
}

// joinAndVanish begins to join a group, and is gone before it is told that it has.
func joinAndVanish(t *testing.T, addr, group, topic string) {
	t.Helper()
	subscription := kmsg.ConsumerMemberMetadata{Topics: []string{topic}}
	request := kmsg.NewPtrJoinGroupRequest()
	request.Version = 5
	request.Group, request.ProtocolType = group, "consumer"
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = 1000, 60_000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", subscription.AppendTo(nil)
	request.Protocols = append(request.Protocols, protocol)

	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	format := kmsg.NewRequestFormatter()
	_, err = conn.Write(format.AppendRequest(nil, request, 1))
	require.NoError(t, err)
	answer := make([]byte, 1024)
	n, err := conn.Read(answer)
	require.NoError(t, err)
	given := request.ResponseKind().(*kmsg.JoinGroupResponse)
	require.NoError(t, given.ReadFrom(answer[8:n])) // after the length and the correlation id
	require.NotEmpty(t, given.MemberID)

	request.MemberID = given.MemberID
	_, err = conn.Write(format.AppendRequest(nil, request, 2))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

// A member that is killed while it joins must not keep partitions: nobody would read them.
func TestAMemberThatVanishesWhileItJoinsLosesItsPartitions(t *testing.T) {
	addr, stop := serve(t, kafka.Options{Addr: "127.0.0.1:0", DataDir: t.TempDir()})
	t.Cleanup(stop)
	createTopic(t, addr, "words", 2)
	reader := collect(t, addr, "readers", "words")
	<-reader.joined
	joinAndVanish(t, addr, "readers", "words")
	<-reader.joined // the generation that has the one that vanished

	manual := config()
	manual.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer([]string{addr}, manual)
	require.NoError(t, err)
	for partition := range int32(2) {
		_, _, err = producer.SendMessage(&sarama.ProducerMessage{
			Topic: "words", Partition: partition,
			Value: sarama.StringEncoder("a"),
		})
		require.NoError(t, err)
	}
	require.NoError(t, producer.Close())
	patience := time.After(20 * time.Second)
	for range 2 {
		select {
		case <-reader.values:
		case <-patience:
			t.Fatal("a partition is not read")
		}
	}
}
