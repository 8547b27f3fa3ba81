package consumer

import (
	"context"
	"sync"
	"testing"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// buckets are all counts of old posts, by post, hour and Kafka partition.
func (w *world) buckets(t *testing.T) map[[3]int64]int64 {
	t.Helper()
	var post, hour, partition, n proto.ColInt64
	found := map[[3]int64]int64{}
	require.NoError(t, w.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "SELECT post_id, toInt64(toUnixTimestamp(hour)) AS at, toInt64(kafka_partition) AS part, sum(exposures + 10 * views + 100 * clicks + 1000 * comments + 10000 * shares + 100000 * hides) AS n" +
			" FROM post_metrics_1h WHERE post_id < 1000 GROUP BY post_id, hour, kafka_partition",
		Result: proto.Results{
			{Name: "post_id", Data: &post},
			{Name: "at", Data: &hour},
			{Name: "part", Data: &partition},
			{Name: "n", Data: &n},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range post {
				found[[3]int64{post[i], hour[i], partition[i]}] = n[i]
			}
			return nil
		},
	}}))
	return found
}

func TestARebuildShowsReadersOldCountsOrNewOnesWhileEventsFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.consume(t)
	w.send(t, stack.RandomEvents(newRand(1), 2000)...)
	w.requireExact(t, 2000)
	right := w.buckets(t)
	// As if a like had counted twice until now: every bucket is wrong.
	for _, view := range stack.EventViews() {
		w.Exec(t, "INSERT INTO "+view+" SELECT * FROM "+view)
	}
	wrong := w.buckets(t)

	rebuilt := make(chan struct{})
	var reading sync.WaitGroup
	sent, between := 0, 0
	reading.Go(func() {
		rng := newRand(2)
		for done := false; !done; {
			select {
			case <-rebuilt:
				done = true
			default:
			}
			more := stack.RandomEvents(rng, 50)
			for i := range more {
				more[i].PostID += 1000
			}
			w.send(t, more...)
			sent += len(more)
			now, left := w.buckets(t), 0
			for bucket, n := range right {
				if now[bucket] != n && now[bucket] != wrong[bucket] {
					t.Errorf("bucket %v: a reader saw %d, which is neither the old count %d nor the new one %d", bucket,
						now[bucket], wrong[bucket], n)
				}
				if now[bucket] != n {
					left++
				}
			}
			if left > 0 && left < len(right) {
				between++
			}
		}
	})
	last, all := 0, 0
	requests := ledger.NewOwners(w.cfg.Log, w.cfg.InsertTimeout, w.ClickHouse, core.SystemClock{})
	changed, err := requests.Rebuild(t.Context(), func(done, total int) { last, all = done, total })
	close(rebuilt)
	reading.Wait()
	require.NoError(t, err)
	require.Equal(t, 31*4, all, "days and partitions")
	require.Equal(t, all, last)
	require.Positive(t, between, "somebody read in the middle")
	require.GreaterOrEqual(t, changed, uint64(len(right)))
	require.Equal(t, right, w.buckets(t))
	w.requireExact(t, 2000+sent)

	again, err := requests.Rebuild(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, again)
}
