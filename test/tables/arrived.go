package tables

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/wait"
)

// Arrived waits until ClickHouse has what PostgreSQL has, and until by the program's metrics no change waits in
// Kafka: then the feed was told of all. What its caches are told of later counts as a change that a viewer made.
func Arrived(t testing.TB, pg Database, db *clickhouse.Client, metrics func() string) {
	t.Helper()
	wait.Until(t, func() bool {
		differences, _, err := Differences(t.Context(), pg, db)
		require.NoError(t, err)
		if differences != "" {
			return false
		}
		const lag = "feedrank_cdc_lag_records"
		text := metrics()
		return strings.Contains(text, "\n"+lag) && harness.ParseMetrics(text).Sum(lag) == 0
	}, "the tables have arrived in ClickHouse")
}
