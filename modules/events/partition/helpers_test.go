package partition

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/stack"
)

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

// mustUser is a user of the fake.
func mustUser(t *fakePartition) int64 {
	id, err := core.ParseID(string(t.log[0].Key))
	if err != nil {
		panic(err)
	}
	return int64(id)
}

func newMetricsForBench() *partitionMetrics {
	return NewMetrics(prometheus.NewRegistry(), core.SystemClock{}).of(0)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

func TestMain(m *testing.M) {
	stack.Waiting(m, embeddedtest.Only(embedded.ClickHouse, embedded.Kafka))
}
