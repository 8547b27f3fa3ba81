package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// topicLog is a topic of its own in the package's Kafka, and who writes there.
type topicLog struct {
	*stack.Stack
	cfg      Config
	producer *kafka.Producer
}

func newLog(t *testing.T) *topicLog {
	t.Helper()
	servers := embeddedtest.Stack(t)
	l := &topicLog{Stack: stack.Configs(servers.Addresses()), cfg: DefaultConfig()}
	l.KafkaConfig.TopicPrefix = embeddedtest.Prefix(t)
	_, err := kafka.EnsureTopics(l.KafkaConfig, []kafka.TopicSpec{
		{Name: l.KafkaConfig.Topic(l.cfg.Topic), Partitions: l.cfg.Partitions, Retention: 72 * time.Hour},
	}, false)
	require.NoError(t, err)
	l.producer = kafka.NewProducer(l.KafkaConfig)
	t.Cleanup(func() { require.NoError(t, l.producer.Close()) })
	return l
}
