package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/embedded"
	"github.com/feedrank/feedrank/modules/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/postgres"
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
	require.NoError(t, postgres.WithAdvisoryLock(t.Context(), cfg, "a", func(context.Context, *pgx.Conn) error { return nil }))
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
