package consumer

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

func topicSpecs(log codec.Log, k kafka.Config) []kafka.TopicSpec {
	return []kafka.TopicSpec{{Name: k.Topic(log.Topic), Partitions: log.Partitions, Retention: 72 * time.Hour}}
}

// viewTables are the tables that must be equal to the raw table.
func viewTables() []string { return []string{"post_metrics_1h", "user_author_90d"} }

// differing counts the buckets of a view that are not what a partition's rows in the raw table say.
func differing(t testing.TB, s *stack.Stack, view string, partition uint16) uint64 {
	t.Helper()
	query := "event_difference_" + strings.TrimSuffix(strings.TrimSuffix(view, "_1h"), "_90d")
	var n proto.ColUInt64
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT count() AS n FROM (" + strings.TrimRight(sql.ClickHouse(query), "; \n") + ")",
		Parameters: clickhouse.Params(map[string]any{
			"epoch": 1, "partition": partition, "after": int64(0), "whole": true, "first": "1970-01-01",
			"last": "2134-04-11", "posts": []core.ID{},
		}),
		Result: proto.Results{{Name: "n", Data: &n}},
	}}))
	return n.Row(0)
}

// newcomer takes the next fence of a partition.
func newcomer(t testing.TB, s *stack.Stack, partition int32) (*ledger.Partition, ledger.Fence) {
	t.Helper()
	l := ledger.New(s.ClickHouse, core.SystemClock{}, 10*time.Second, 1000).Partition(1, partition, 1024, false)
	number, err := l.NextFence(t.Context())
	require.NoError(t, err)
	f := ledger.Fence{Number: number, Token: ledger.NewToken()}
	require.NoError(t, l.Claim(t.Context(), f, "test"))
	return l, f
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// mustUser is a user of the tape.
func mustUser(t *fakePartition) int64 {
	id, err := core.ParseID(string(t.log[0].Key))
	if err != nil {
		panic(err)
	}
	return int64(id)
}

func newMetricsForBench() *partitionMetrics {
	return newMetrics(prometheus.NewRegistry(), core.SystemClock{}).of(0)
}
