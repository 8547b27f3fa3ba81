package events

import (
	"math/rand/v2"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func exec(t testing.TB, s *stack.Stack, statement string) {
	t.Helper()
	require.NoError(t, s.ClickHouse.Write(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

// count is the number that a query of one row and one column n gives.
func count(t testing.TB, s *stack.Stack, query string) int {
	t.Helper()
	var n proto.ColUInt64
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT toUInt64(n) AS n FROM (" + query + ")", Result: proto.Results{{Name: "n", Data: &n}},
	}}))
	return int(n.Row(0))
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// mustUser is a user of the tape.
func mustUser(t *tape) int64 {
	id, err := core.ParseID(string(t.log[0].Key))
	if err != nil {
		panic(err)
	}
	return int64(id)
}

func newMetricsForBench() *partitionMetrics {
	return newMetrics(prometheus.NewRegistry(), core.SystemClock{}).of(0)
}
