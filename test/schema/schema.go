// Package schema gives tests a PostgreSQL that has our schema, and nothing of an app.
package schema

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// New makes a database of the embedded server for one test.
func New(t *testing.T) (*pgxpool.Pool, postgres.Config) {
	t.Helper()
	cfg := postgres.DefaultConfig()
	cfg.DSN = embeddedtest.NewDatabase(t)
	require.NoError(t, migrate.Locked(t.Context(), cfg, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := migrate.Postgres(ctx, conn, false)
		return err
	}))
	pool, err := postgres.NewPool(context.Background(), cfg) // what ends with the test may still ask
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool, cfg
}
