package cdc_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc"
)

const million = 1_000_000

const manyLikes = `
	INSERT INTO users (id, name) SELECT i, 'u' FROM generate_series(1, 1000) i;
	INSERT INTO posts (id, author_id) SELECT i, 1 FROM generate_series(1, 1000) i;`

// BenchmarkMemoryOfALargeTransaction measures the most memory that the source holds while one transaction
// of a million rows passes, and how much that is above what it held before.
func BenchmarkMemoryOfALargeTransaction(b *testing.B) {
	c := newChain(b)
	c.exec(manyLikes)
	c.makeTopics()
	c.startSource()
	require.Eventually(b, func() bool { return c.sum("feedrank_cdc_source_snapshot_rows_total") >= 2000 }, patience, 50*time.Millisecond)
	before, peak := memory(), uint64(0)
	c.exec(`SET statement_timeout = 0; INSERT INTO likes (user_id, post_id) SELECT i % 1000 + 1, i / 1000 + 1 FROM generate_series(0, 999999) i`)
	started := time.Now()
	require.Eventually(b, func() bool {
		peak = max(peak, memory())
		return c.sum("feedrank_cdc_source_records_total") >= million
	}, patience, 50*time.Millisecond)
	b.ReportMetric(float64(before)/(1<<20), "MiB-before")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
	b.ReportMetric(million/time.Since(started).Seconds(), "rows/s")
}

// memory is what the process holds of the system, without what it has given back.
func memory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

// sum adds the series of one of the source's metrics.
func (c *chain) sum(name string) float64 {
	c.t.Helper()
	families, err := c.sources.Gather()
	require.NoError(c.t, err)
	total := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}

// BenchmarkComparisonOfAMillionRows measures a comparison of two tables that are equal.
func BenchmarkComparisonOfAMillionRows(b *testing.B) {
	c := newChain(b)
	c.exec(manyLikes, `SET statement_timeout = 0; INSERT INTO likes (user_id, post_id, created_at) SELECT i % 1000 + 1, i / 1000 + 1, '2026-01-01Z' FROM generate_series(0, 999999) i`)
	c.spoil(`INSERT INTO likes (row_key, user_id, post_id, created_at, version)
		SELECT concat(toString(post_id), ':', toString(user_id)), number % 1000 + 1 AS user_id, intDiv(number, 1000) + 1 AS post_id, '2026-01-01 00:00:00', 1 FROM numbers(1000000)`)
	r, err := cdc.NewResync(c.cfg, c.KafkaConfig, c.Postgres, c.ClickHouse, nil, prometheus.NewRegistry())
	require.NoError(b, err)
	for b.Loop() {
		found, err := r.Run(b.Context(), cdc.ResyncOptions{Table: "public.likes"})
		require.NoError(b, err)
		require.Equal(b, int64(million), found[0].Rows)
		require.True(b, found[0].Equal(), "%+v", found[0])
	}
}
