package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.ClickHouse)) }

func client(t *testing.T, servers *embedded.Stack) *clickhouse.Client {
	t.Helper()
	cfg := stack.Configs(servers.Addresses()).ClickHouseConfig
	cfg.Database = "default"
	c := clickhouse.New(cfg, prometheus.NewRegistry())
	t.Cleanup(c.Close)
	return c
}

func number(ctx context.Context, c *clickhouse.Client, body string) (uint64, error) {
	var n proto.ColUInt64
	err := c.Read(ctx, clickhouse.Query{
		Name:  "number",
		Query: ch.Query{Body: body, Result: proto.Results{{Name: "n", Data: &n}}},
	})
	if err != nil {
		return 0, err
	}
	return n.Row(0), nil
}

func TestAReadOutlivesTheRestartOfTheServer(t *testing.T) {
	servers := embeddedtest.Own(t, embedded.ClickHouse)
	c := client(t, servers)
	var at errgroup.Group
	for range 6 { // at the same time: as many connections, all of which will be dead
		at.Go(func() error {
			_, err := number(t.Context(), c, "SELECT toUInt64(sleep(0.5)) AS n")
			return err
		})
	}
	require.NoError(t, at.Wait())
	require.NoError(t, servers.ClickHouse.Kill())
	_, err := number(t.Context(), c, "SELECT toUInt64(1) AS n")
	require.Error(t, err)
	require.True(t, clickhouse.IsConnectionError(err), "%v", err)
	require.NoError(t, servers.ClickHouse.Start(t.Context()))
	n, err := number(t.Context(), c, "SELECT toUInt64(7) AS n")
	require.NoError(t, err)
	require.EqualValues(t, 7, n)
}

func TestARefusalOfTheServerIsNoConnectionError(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	_, err := number(t.Context(), c, "SELECT nothing AS n")
	require.Error(t, err)
	exception, ok := clickhouse.AsException(err)
	require.True(t, ok)
	require.Equal(t, proto.ErrUnknownIdentifier, exception.Code)
	require.False(t, clickhouse.IsConnectionError(err))
	require.False(t, clickhouse.IsFenced(err))
	require.NoError(t, c.Ping(t.Context()), "the client goes on after a refusal")
}

func TestADeadlineEndsAQuery(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := number(ctx, c,
		"SELECT toUInt64(sum(sleepEachRow(1))) AS n FROM numbers(20) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 60000000")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A program that stops cancels what it asks, and must not wait for answers that nobody wants.
func TestACancelledQueryIsNotWaitedFor(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := number(ctx, c,
			"SELECT toUInt64(sleepEachRow(25)) AS n FROM numbers(1) SETTINGS function_sleep_max_microseconds_per_block = 60000000")
		ended <- err
	}()
	wait.Until(t, func() bool {
		n, err := number(t.Context(), c,
			"SELECT count() AS n FROM system.processes WHERE query LIKE '%sleepEachRow(25)%'")
		return err == nil && n == 2 // and the one that counts
	})
	cancel()
	select {
	case err := <-ended:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(20 * time.Second):
		t.Fatal("it waited for the answer")
	}
	require.NoError(t, c.Ping(t.Context()))
}

func TestPinnedSettingsAreOnEveryQueryAndYieldToTheQuerysOwn(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	setting := func(own ...ch.Setting) uint64 {
		var n proto.ColUInt64
		require.NoError(t, c.Read(t.Context(), clickhouse.Query{Name: "setting", Query: ch.Query{
			Body: "SELECT toUInt64(getSetting('async_insert')) AS n", Settings: own,
			Result: proto.Results{{Name: "n", Data: &n}},
		}}))
		return n.Row(0)
	}
	require.EqualValues(t, 0, setting())
	require.EqualValues(t, 1, setting(ch.Setting{Key: "async_insert", Value: "1", Important: true}))
	require.EqualValues(t, 0, setting(), "a query's own setting does not stay behind on the connection")
}

func TestAClosedClientStaysClosed(t *testing.T) {
	c := client(t, embeddedtest.Stack(t))
	_, err := number(t.Context(), c, "SELECT toUInt64(1) AS n")
	require.NoError(t, err)
	c.Close()
	_, err = number(t.Context(), c, "SELECT toUInt64(1) AS n")
	require.ErrorIs(t, err, clickhouse.ErrClosed) // and no pool that nobody closes: TestMain looks for it
}
