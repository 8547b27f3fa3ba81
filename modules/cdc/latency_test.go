package cdc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// BenchmarkCommitToVisible measures, at a steady rate of commits, the time from the moment a commit
// returned until a query of ClickHouse finds the row: what a feed would see.
func BenchmarkCommitToVisible(b *testing.B) {
	for _, rate := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("%d_changes_per_s", rate), func(b *testing.B) { commitToVisible(b, rate) })
	}
}

func commitToVisible(b *testing.B, rate int) {
	c := newChain(b)
	c.exec(world(100))
	c.start()
	c.requireEqual()
	ctx, cancel := context.WithCancel(b.Context())
	noise := make(chan struct{})
	go func() { // likes at the rate, in transactions of their own or of ten
		defer close(noise)
		each := max(1, rate/100)
		tick := time.NewTicker(time.Second * time.Duration(each) / time.Duration(rate))
		defer tick.Stop()
		for i := 0; ; i += each {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			_, _ = c.Postgres.Exec(ctx, `INSERT INTO likes (user_id, post_id) SELECT 1 + i % 100, 1 + (i * 7) % 300 FROM generate_series($1::int, $2::int) i
				ON CONFLICT (user_id, post_id) DO UPDATE SET created_at = now()`, i, i+each-1)
		}
	}()
	defer func() {
		cancel()
		<-noise
	}()
	var took []time.Duration
	id := 100000
	for b.Loop() {
		id++
		_, err := c.Postgres.Exec(b.Context(), `INSERT INTO posts (id, author_id, body) VALUES ($1, 1, 'probe')`, id)
		require.NoError(b, err)
		committed := time.Now()
		for !visible(b, c, id) {
			require.Less(b, time.Since(committed), patience)
		}
		took = append(took, time.Since(committed))
	}
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.95), "p95-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

func visible(b *testing.B, c *chain, id int) bool {
	var n proto.ColUInt64
	err := c.ClickHouse.Read(b.Context(), clickhouse.Query{Name: "probe", Query: ch.Query{
		Body: fmt.Sprintf("SELECT count() AS n FROM posts FINAL WHERE id = %d", id), Result: proto.Results{{Name: "n", Data: &n}},
	}})
	require.NoError(b, err)
	return n.Row(0) == 1
}
