package events

import (
	"flag"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // most of the time they wait
		panic(err)
	}
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Kafka))
}

// newStack gives a test a migrated database and a prefix of its own; PostgreSQL and Redis are not needed.
func newStack(t testing.TB) *stack.Stack {
	t.Helper()
	servers := embeddedtest.Stack(t)
	s := stack.Configs(servers.Addresses())
	s.Servers = servers
	s.ClickHouseConfig.Database = embeddedtest.NewClickHouseDatabase(t)
	s.KafkaConfig.TopicPrefix = embeddedtest.Prefix(t)
	_, err := migrate.ClickHouse(t.Context(), s.ClickHouseConfig, false)
	require.NoError(t, err)
	s.ClickHouse = clickhouse.New(s.ClickHouseConfig, prometheus.NewRegistry())
	t.Cleanup(s.ClickHouse.Close)
	return s
}
