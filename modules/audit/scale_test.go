package audit

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// BenchmarkTenMillionEvents is a day of the reference scale: how long an audit of it takes, how long the
// owners take to recount it for a rebuild, and how long taking the partitions takes, which reads all ids.
// Run it once (-benchtime 1x): the events are written anew each time.
func BenchmarkTenMillionEvents(b *testing.B) {
	w := &world{
		Stack: stack.New(b), cfg: DefaultConfig(), events: events.DefaultConfig(),
		reg: prometheus.NewRegistry(),
	}
	w.ClickHouseConfig.QueryTimeout = 5 * time.Minute
	db := clickhouse.New(w.ClickHouseConfig, prometheus.NewRegistry())
	b.Cleanup(db.Close)
	_, err := kafka.EnsureTopics(w.KafkaConfig, events.TopicSpecs(w.events, w.KafkaConfig), false)
	require.NoError(b, err)
	past, err := ledger.NewBulk(b.Context(), w.KafkaConfig.Topic(w.events.Topic), w.events.Partitions, db,
		core.SystemClock{})
	require.NoError(b, err)
	// Yesterday and the day before, of 100,000 users on 100,000 posts.
	end := time.Now().UTC().Truncate(day)
	rng := rand.New(rand.NewPCG(1, 1))
	all := make([]core.Event, 10_000)
	for range 10_000_000 / len(all) {
		for i := range all {
			post := core.ID(1 + rng.IntN(100_000))
			all[i] = core.Event{
				ID: core.EventID(uuid.New()), UserID: core.ID(1 + rng.IntN(100_000)), PostID: post,
				AuthorID: 1 + post%20_000,
				Action:   core.Actions()[rng.IntN(10)], OccurredAt: end.Add(-time.Duration(rng.Int64N(int64(day)))),
				DwellMillis: uint32(1 + rng.IntN(60_000)),
			}
		}
		require.NoError(b, past.Send(b.Context(), all))
	}
	require.NoError(b, past.Flush(b.Context()))
	w.owners = owners{
		ledger.NewOwners(w.events.Log(), w.events.InsertTimeout, w.ClickHouse, core.SystemClock{}),
		w.events.AcceptedAge + w.events.Retention,
	}
	w.service = NewService(w.cfg, NewAuditor(w.cfg, w.ClickHouse, w.owners, core.SystemClock{}), w.Postgres,
		keyed{}, w.reg, zaptest.NewLogger(b))
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		r := w.audit(b, false)
		require.True(b, r.OK(), r.Findings)
		require.EqualValues(b, 10_000_000, r.Checked.Rows)
		b.ReportMetric(time.Since(began).Seconds(), "audit-s")

		began = time.Now()
		w.consume(b) // takes the partitions
		_, err := w.owners.Reconcile(b.Context(), 0, time.Now(), time.Now())
		require.NoError(b, err)
		b.ReportMetric(time.Since(began).Seconds(), "take-s")

		began = time.Now()
		wrong, err := w.owners.Reconcile(b.Context(), 0, end.Add(-day), end.Add(-day))
		require.NoError(b, err)
		require.Zero(b, wrong)
		b.ReportMetric(time.Since(began).Seconds(), "recount-s")
		w.stop()
	}
}
