package tables

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/wait"
)

// Arrived waits until ClickHouse has what PostgreSQL has, and until no change waits in Kafka (lag): then the feed
// was told of all. What its caches are told of later counts as a change that a viewer made.
func Arrived(t testing.TB, pg Database, db *clickhouse.Client, lag func() float64) {
	t.Helper()
	wait.Until(t, func() bool {
		differences, _, err := Differences(t.Context(), pg, db)
		require.NoError(t, err)
		return differences == "" && lag() == 0
	}, "the tables have arrived in ClickHouse")
}
