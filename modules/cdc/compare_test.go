package cdc_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/tables"
)

// requireEqualTables waits until every table equals its original, and fails if that does not come.
func requireEqualTables(t testing.TB, pg *pgxpool.Pool, db *clickhouse.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		diff, _, err := tables.Differences(ctx, pg, db)
		if err == nil && diff == "" {
			return
		}
		if err == nil {
			last = diff
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Failf(t, "the tables differ", "after %s: %s (%v)", patience, last, err)
		}
	}
}
