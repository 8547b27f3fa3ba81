package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Postgres)) }

func config(t *testing.T) postgres.Config {
	t.Helper()
	cfg := postgres.DefaultConfig()
	cfg.DSN = embeddedtest.NewDatabase(t)
	return cfg
}

func TestOneAtATimeHoldsALock(t *testing.T) {
	cfg := config(t)
	require.NoError(t, postgres.WithAdvisoryLock(t.Context(), cfg, "a", func(ctx context.Context, _ *pgx.Conn) error {
		soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		err := postgres.WithAdvisoryLock(soon, cfg, "a", func(context.Context, *pgx.Conn) error { return nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return postgres.WithAdvisoryLock(ctx, cfg, "b", func(context.Context, *pgx.Conn) error { return nil })
	}))
	require.NoError(t, postgres.WithAdvisoryLock(t.Context(), cfg, "a",
		func(context.Context, *pgx.Conn) error { return nil }))
}

func TestWhoWaitsForALockHoldsNoSnapshotAndIsEndedByNoTimeout(t *testing.T) {
	cfg := config(t)
	pool, err := postgres.NewPool(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(),
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 100', current_database()); "+
			"EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = 100', current_database()); END $$")
	require.NoError(t, err)
	held, release := make(chan struct{}), make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		return postgres.WithAdvisoryLock(t.Context(), cfg, "a", func(context.Context, *pgx.Conn) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	group.Go(func() error {
		return postgres.WithAdvisoryLock(t.Context(), cfg, "a", func(context.Context, *pgx.Conn) error { return nil })
	})
	const waiting = `SELECT pid, backend_xmin IS NULL AND state = 'idle', now() - backend_start > interval '1 second' FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory_lock%'
		AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory') ORDER BY backend_start DESC LIMIT 1`
	var waiter int
	wait.Until(t, func() bool {
		var pid int
		var free, old bool
		if err := pool.QueryRow(t.Context(), waiting).Scan(&pid, &free, &old); err != nil {
			return false
		}
		if waiter == 0 {
			waiter = pid
		}
		require.Equal(t, waiter, pid, "it is the same session")
		return free && old
	})
	close(release)
	require.NoError(t, group.Wait())
}

func TestTheServerEndsAStatementThatTakesTooLong(t *testing.T) {
	cfg := config(t)
	cfg.StatementTimeout = 50 * time.Millisecond
	pool, err := postgres.NewPool(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "SELECT pg_sleep(10)")
	require.ErrorContains(t, err, "statement timeout")
	_, err = pool.Exec(t.Context(), "SELECT * FROM nothing")
	require.True(t, postgres.IsUndefined(err))
}

func TestADSNThatDoesNotParseIsNotRepeated(t *testing.T) {
	cfg := postgres.DefaultConfig()
	cfg.DSN = "postgres://user:hunter2@host:notaport/db"
	_, err := postgres.NewPool(t.Context(), cfg)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
