//go:build real

package real_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/tables"
)

// requireEqualTables waits until every copy equals its original, row by row, and returns how many rows
// that are.
func requireEqualTables(t *testing.T, pg *pgx.Conn, db *clickhouse.Client) int {
	t.Helper()
	var total int
	var last string
	ok := eventually(2*time.Minute, 250*time.Millisecond, func() bool {
		diff, rows, err := tables.Differences(t.Context(), pg, db)
		last, total = fmt.Sprint(diff, " ", err), rows
		return err == nil && diff == ""
	})
	require.True(t, ok, last)
	return total
}

// eventually asks now and then, in this goroutine.
func eventually(limit, every time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(limit)
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(every)
	}
	return true
}
