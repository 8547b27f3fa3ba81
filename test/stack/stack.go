// Package stack gives a test the embedded servers as feedrank finds them: ClickHouse and PostgreSQL
// migrated, the example app's tables, and names that no other test has.
package stack

import (
	"context"
	"flag"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/feedrank/feedrank/config/grants"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/wait"
)

// Main runs a package's tests; TestMain calls it and nothing else.
func Main(m *testing.M, opts ...embeddedtest.Option) {
	embeddedtest.Main(m, append(opts, embeddedtest.IgnoreLeaks(
		// sarama's: its metrics library keeps one for good, and a breaker that opened sleeps 10 s, whatever ends.
		goleak.IgnoreAnyFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"),
	))...)
}

// Waiting is Main for tests that mostly wait: six run at once, whatever the processors are.
func Waiting(m *testing.M, opts ...embeddedtest.Option) {
	embedded.RunChildIfAsked()
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	Main(m, opts...)
}

// Stack is what one test works with. What is in it is its own, but for the processes.
type Stack struct {
	ClickHouseConfig clickhouse.Config
	PostgresConfig   postgres.Config
	KafkaConfig      kafka.Config
	RedisConfig      redis.Config

	ClickHouse *clickhouse.Client
	Postgres   *pgxpool.Pool
	Servers    *embedded.Stack
}

// New gives a test databases and prefixes of its own in the package's shared servers.
func New(t testing.TB) *Stack {
	t.Helper()
	servers := embeddedtest.Stack(t)
	addresses := servers.Addresses()
	s := Configs(addresses)
	s.Servers = servers
	s.ClickHouseConfig.Database = embeddedtest.NewClickHouseDatabase(t)
	s.PostgresConfig.DSN = embeddedtest.NewDatabase(t)
	s.KafkaConfig.TopicPrefix = embeddedtest.Prefix(t)
	s.RedisConfig.Addrs = []string{embeddedtest.NewRedis(t)}
	s.prepare(t)
	return s
}

// OfEvents is New without PostgreSQL and Redis, which the path of events needs not.
func OfEvents(t testing.TB) *Stack {
	t.Helper()
	servers := embeddedtest.Stack(t)
	s := Configs(servers.Addresses())
	s.Servers = servers
	s.ClickHouseConfig.Database = embeddedtest.NewClickHouseDatabase(t)
	s.KafkaConfig.TopicPrefix = embeddedtest.Prefix(t)
	_, err := migrate.ClickHouse(t.Context(), s.ClickHouseConfig, false)
	require.NoError(t, err)
	s.ClickHouse = clickhouse.New(s.ClickHouseConfig, prometheus.NewRegistry())
	t.Cleanup(s.ClickHouse.Close)
	return s
}

// Redis is a client that is connected. One that is new waits for its first dial no longer than a request would,
// which is not long enough on a busy machine.
func Redis(t testing.TB, cfg redis.Config) *redis.Client {
	t.Helper()
	client := redis.New(cfg, core.SystemClock{})
	t.Cleanup(client.Close)
	wait.Until(t, func() bool { _, err := client.Conn(); return err == nil }, "connect to Redis")
	return client
}

// Exec runs a statement in ClickHouse.
func (s *Stack) Exec(t testing.TB, statement string) {
	t.Helper()
	require.NoError(t, s.ClickHouse.Write(t.Context(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

// Count is the number that a query of ClickHouse with one row and one column n gives.
func (s *Stack) Count(t testing.TB, query string) int {
	t.Helper()
	var n proto.ColUInt64
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT toUInt64(n) AS n FROM (" + query + ")", Result: proto.Results{{Name: "n", Data: &n}},
	}}), query)
	return int(n.Row(0))
}

// Own gives a test servers of its own, which it may kill.
func Own(t testing.TB) *Stack {
	t.Helper()
	return OwnWith(t, embedded.Options{})
}

// OwnWith is Own with other options.
func OwnWith(t testing.TB, opts embedded.Options) *Stack {
	t.Helper()
	opts.ClickHouseGrants = grants.ClickHouse
	servers := embeddedtest.OwnWith(t, opts)
	s := Configs(servers.Addresses())
	s.Servers = servers
	s.prepare(t)
	return s
}

// Configs are the settings of the clients for these servers.
func Configs(addresses embedded.Addresses) *Stack {
	s := &Stack{
		ClickHouseConfig: clickhouse.DefaultConfig(), PostgresConfig: postgres.DefaultConfig(),
		KafkaConfig: kafka.DefaultConfig(), RedisConfig: redis.DefaultConfig(),
	}
	if a := addresses.ClickHouse; a != nil {
		s.ClickHouseConfig.Addrs, s.ClickHouseConfig.User, s.ClickHouseConfig.Password = []string{a.Addr}, a.User,
			a.Password
		s.ClickHouseConfig.Database = "feedrank"
	}
	if a := addresses.Postgres; a != nil {
		s.PostgresConfig.DSN = a.DSN
	}
	if a := addresses.Kafka; a != nil {
		s.KafkaConfig.Brokers = a.Brokers
	}
	if a := addresses.Redis; a != nil {
		s.RedisConfig.Addrs = []string{a.Addr}
	}
	return s
}

// prepare migrates, creates the example app's tables and opens the clients.
func (s *Stack) prepare(t testing.TB) {
	t.Helper()
	ctx := context.Background()
	_, err := migrate.ClickHouse(ctx, s.ClickHouseConfig, false)
	require.NoError(t, err)
	require.NoError(t, migrate.Locked(ctx, s.PostgresConfig, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, sql.ExampleSchema()); err != nil {
			return err
		}
		_, err := migrate.Postgres(ctx, conn, false)
		return err
	}))
	s.ClickHouse = clickhouse.New(s.ClickHouseConfig, prometheus.NewRegistry())
	t.Cleanup(s.ClickHouse.Close)
	s.Postgres, err = postgres.NewPool(ctx, s.PostgresConfig)
	require.NoError(t, err)
	t.Cleanup(s.Postgres.Close)
}
