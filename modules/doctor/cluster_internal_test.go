package doctor

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// A cluster of three brokers and a full Redis are not to be had in a test of this package: what their answers mean is.
func TestATopicOnSeveralBrokersHasReplicasThatAcknowledge(t *testing.T) {
	wanted := kafka.TopicSpec{Name: "events", Partitions: 4, Retention: time.Hour}
	settings := map[string]string{
		"min.insync.replicas": "2", "retention.ms": "-1", "retention.bytes": "-1",
		"cleanup.policy": "delete",
	}
	is := sarama.TopicDetail{NumPartitions: 4, ReplicationFactor: 3}
	require.Empty(t, topicFindings(wanted, is, settings, 3))

	is.ReplicationFactor = 1
	found := topicFindings(wanted, is, settings, 3)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Says, "topic events has one replica")
	is.ReplicationFactor, settings["min.insync.replicas"] = 3, "1"
	found = topicFindings(wanted, is, settings, 3)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Says, "min.insync.replicas 1 with 3 replicas")
}

func TestRedisHasALimitAndRoom(t *testing.T) {
	require.Empty(t, memoryFindings("# Memory\r\nused_memory:100\r\nmaxmemory:1000\r\n"))
	require.Contains(t, memoryFindings("used_memory:100\r\nmaxmemory:0\r\n")[0].Says, "no maxmemory")
	found := memoryFindings("used_memory:950\r\nmaxmemory:1000\r\n")
	require.Contains(t, found[0].Says, "950 B of 1000 B are used")
	require.Equal(t, Advice, found[0].Level)
}
