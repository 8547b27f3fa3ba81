package cdc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// BenchmarkRowsPerSecond measures how fast rows pass from PostgreSQL to ClickHouse: out of a snapshot,
// and out of the log in one large transaction.
func BenchmarkRowsPerSecond(b *testing.B) {
	const rows = 200_000
	insert := `INSERT INTO likes (user_id, post_id) SELECT i %% 1000 + 1, i / 1000 + 1 FROM generate_series(%d, %d) i`
	prepare := func(b *testing.B) *chain {
		c := newChain(b)
		c.cfg.Source.SnapshotRows = 5000
		c.exec(`INSERT INTO users (id, name) SELECT i, 'u' FROM generate_series(1, 1000) i`,
			`INSERT INTO posts (id, author_id) SELECT i, 1 FROM generate_series(1, 1000) i`)
		return c
	}
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			c := prepare(b)
			c.exec(fmt.Sprintf(insert, 0, rows-1))
			started := time.Now()
			c.start()
			c.waitForLikes(rows)
			b.ReportMetric(rows/time.Since(started).Seconds(), "rows/s")
		}
	})
	b.Run("stream", func(b *testing.B) {
		for b.Loop() {
			c := prepare(b)
			c.start()
			c.requireEqual()
			c.exec(fmt.Sprintf(insert, 0, rows-1))
			started := time.Now()
			c.waitForLikes(rows)
			b.ReportMetric(rows/time.Since(started).Seconds(), "rows/s")
		}
	})
}

func (c *chain) waitForLikes(rows int) {
	c.t.Helper()
	count := func(from string) uint64 {
		var n proto.ColUInt64
		require.NoError(c.t, c.ClickHouse.Read(c.t.Context(), clickhouse.Query{Name: "count", Query: ch.Query{
			Body: "SELECT count() AS n FROM " + from, Result: proto.Results{{Name: "n", Data: &n}},
		}}))
		return n.Row(0)
	}
	// FINAL reads every row: asked all the time it would be most of what is measured.
	require.Eventually(c.t, func() bool { return count("likes") >= uint64(rows) }, patience, 20*time.Millisecond)
	require.Eventually(c.t, func() bool { return count("likes FINAL") == uint64(rows) }, patience, 200*time.Millisecond)
}
