//go:build real

package real_test

import (
	"context"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
)

// pooler starts PgBouncer before the stack's PostgreSQL.
func pooler(t *testing.T, s *servers.Stack, more string) servers.Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "feedrank-pgbouncer-") // another user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) // as above
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	server, err := s.NewPgBouncer(t.Context(), dir, more)
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, server.Kill()) })
	return server
}

func databaseOf(t *testing.T, dsn string) string {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	return config.Database
}

func TestFeedsAreReadByWayOfAPooler(t *testing.T) {
	s, c := fresh(t)
	require.NoError(t, execute(t.Context(), c, feedWorld))
	bouncer := pooler(t, s, "")
	cfg := settings(c)
	cfg.Postgres.PooledDSN = servers.DSNBy(bouncer, databaseOf(t, c.PostgresConfig.DSN))
	a := run(t, migrated(t, cfg))
	pg, err := pgx.Connect(t.Context(), c.PostgresConfig.DSN)
	require.NoError(t, err)
	db := clickhouse.New(c.ClickHouseConfig, prometheus.NewRegistry())
	tables.Arrived(t, pg, db, func() string {
		_, body := a.call(http.MethodGet, "/metrics", 1, "")
		return string(body)
	})
	db.Close()
	a.well("the start")

	reader, err := postgres.NewPooled(t.Context(), cfg.Postgres)
	require.NoError(t, err)
	defer reader.Close()
	app := graph.NewPostgres(reader, graph.DefaultTables(), 100, graph.Names{})
	var readers sync.WaitGroup
	for viewer := core.ID(101); viewer < 109; viewer++ { // more clients than the pooler has servers
		readers.Go(func() {
			for range 20 {
				edges, err := app.Edges(t.Context(), viewer)
				if err == nil && len(edges) != 9 {
					t.Errorf("viewer %s has %d edges, want 9", viewer, len(edges))
				}
				posts, timelineErr := app.Timeline(t.Context(), viewer, 0, 0, 10)
				if err != nil || timelineErr != nil || len(posts) != 10 {
					t.Errorf("viewer %s: %v, %v, %d posts", viewer, err, timelineErr, len(posts))
				}
			}
		})
	}
	readers.Wait()

	// What a session would be set to holds all the same: time, and that a filtered read fails.
	cfg.Postgres.StatementTimeout = 100 * time.Millisecond
	hasty, err := postgres.NewPooled(t.Context(), cfg.Postgres)
	require.NoError(t, err)
	defer hasty.Close()
	require.ErrorContains(t, readAll(t.Context(), hasty, "SELECT 1 FROM pg_sleep(10)"), "statement timeout")
	require.NoError(t, readAll(t.Context(), hasty, "SELECT 1 WHERE current_setting('row_security') = 'off'"))

	require.NoError(t, s.ClickHouse.Kill())
	t.Cleanup(func() { require.NoError(t, s.ClickHouse.Start(context.WithoutCancel(t.Context()))) })
	for range 5 {
		require.Equal(t, "postgres", a.feed("ClickHouse is gone", a.stranger(), "").ServedFrom)
	}
}

func readAll(ctx context.Context, db postgres.Reader, query string) error {
	rows, err := db.Query(ctx, query)
	if err != nil {
		return err
	}
	_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	return err
}

func TestAPoolerInTheServersPlaceIsNamed(t *testing.T) {
	s, c := fresh(t)
	for name, more := range map[string]string{
		"as it is installed": "",
		"told to ignore what it cannot set": "ignore_startup_parameters = statement_timeout,row_security,tcp_keepalives_idle," +
			"tcp_keepalives_interval,tcp_keepalives_count,idle_session_timeout",
	} {
		bouncer := pooler(t, s, more)
		cfg := config.Default()
		cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = c.ClickHouseConfig, c.PostgresConfig, c.KafkaConfig,
			c.RedisConfig
		cfg.Postgres.DSN = servers.DSNBy(bouncer, databaseOf(t, c.PostgresConfig.DSN))
		_, err := app.Migrate(t.Context(), cfg, false)
		require.ErrorIs(t, err, postgres.ErrPooler, name)
		pool, err := postgres.NewPool(t.Context(), cfg.Postgres)
		require.NoError(t, err)
		defer pool.Close()
		require.ErrorIs(t, postgres.Explained(pool.Ping(t.Context())), postgres.ErrPooler, name)
	}
}
