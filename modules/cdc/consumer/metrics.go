package consumer

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// metrics of the consumer. config/prometheus/runbook.md says what to do when each rises.
type metrics struct {
	records    *prometheus.CounterVec // table, op
	tombstones *prometheus.CounterVec // table
	truncates  *prometheus.CounterVec // table
	truncated  *prometheus.CounterVec // table
	late       *prometheus.CounterVec // table
	repeats    *prometheus.CounterVec // table
	replays    *prometheus.CounterVec // table
	stale      *prometheus.CounterVec // table
	erased     *prometheus.CounterVec // table
	asked      *prometheus.CounterVec // table, row
	raised     *prometheus.CounterVec // table
	oddTimes   *prometheus.CounterVec // table
	// table
	audienceUnknown *prometheus.CounterVec
	labelsLeftOut   *prometheus.CounterVec   // table
	keyChanges      *prometheus.CounterVec   // table
	deadLetters     *prometheus.CounterVec   // table, reason
	rows            *prometheus.CounterVec   // copy
	changes         *prometheus.CounterVec   // kind
	batch           *prometheus.HistogramVec // table
	apply           *prometheus.HistogramVec // table
	retries         *prometheus.CounterVec   // table
	pauses          *prometheus.CounterVec   // table
	parked          *prometheus.GaugeVec     // table, partition
	backlog         *kafka.Backlog
	visible         *prometheus.HistogramVec // table
	connectorLag    *prometheus.GaugeVec     // table
	lostOffsets     *prometheus.CounterVec   // table
	epoch           *prometheus.GaugeVec     // table
	drift           *prometheus.GaugeVec     // table
	fails           *prometheus.GaugeVec     // table
	observeErrs     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, clock core.Clock) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feedrank_cdc_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feedrank_cdc_" + name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "feedrank_cdc_" + name, Help: help,
			Buckets: buckets,
		}, []string{"table"})
		reg.MustRegister(h)
		return h
	}
	m := &metrics{
		records:    counter("records_total", "Change records read, by the app's table and operation.", "table", "op"),
		tombstones: counter("tombstones_total", "Records without a value, which follow deletes.", "table"),
		truncates:  counter("truncates_total", "Truncates applied.", "table"),
		truncated: counter("truncated_rows_total", "Rows that arrived after a truncate that came after them.",
			"table"),
		late: counter("late_records_total",
			"Records left out because a leader of the source wrote them after it had been replaced.", "table"),
		repeats: counter("repeats_total",
			"Records left out because the connector had certainly written them before.", "table"),
		replays: counter("replays_total", "Records read again from Kafka whose row was already applied.", "table"),
		stale: counter("stale_repairs_total",
			"Repairs of a resync that were dropped because a change came first.", "table"),
		erased: counter("erased_total", "Changes that were left out because they name somebody who is erased.",
			"table"),
		asked: counter("asked_rows_total",
			"Rows read from PostgreSQL because the log does not tell what they are, by whether they were there.",
			"table", "row"),
		audienceUnknown: counter("audience_unknown_total",
			"Changes of posts and users whose audience the conditions of cdc.tables could not tell: nobody sees the post.", "table"),
		labelsLeftOut: counter("labels_left_out_total",
			"Labels that posts do not have because they are longer than 64 bytes, are no text, or are more than 32.", "table"),
		oddTimes: counter("odd_times_total",
			"Rows with no time, or one that copies cannot hold: stored as 1970, or at the end of the range.", "table"),
		raised: counter("raised_total",
			"Changes and repairs whose place in the log is below that of what they replace: the topic grew.", "table"),
		keyChanges:  counter("key_changes_total", "Rows whose primary key changed.", "table"),
		deadLetters: counter("dead_letters_total", "Records that could not be applied, by reason.", "table", "reason"),
		rows:        counter("rows_written_total", "Rows inserted into ClickHouse, by our table.", "copy"),
		changes:     counter("changes_total", "Changes offered to the feed, by kind.", "kind"),
		pauses: counter("pauses_total", "Times that fetching a partition was paused because its queue was full.",
			"table"),
		retries:     counter("apply_retries_total", "Batches that were applied again after an error.", "table"),
		lostOffsets: counter("lost_offsets_total", "Partitions whose next record the log no longer had.", "table"),

		backlog: kafka.NewBacklog("feedrank_cdc_", clock, "table", "partition"),
		connectorLag: gauge("connector_lag_seconds", "Time from the commit to the connector for the last record.",
			"table"),
		drift: gauge("schema_mismatches", "Columns and keys of the mapping that the app's table does not have.",
			"table"),
		fails: gauge("table_fails",
			"1 while all records of a table become dead letters: nothing of it is copied.", "table"),
		parked: gauge("parked",
			"1 while a partition waits at a record of a converter that we do not read; see cdc.consumer.on_foreign_format.", "table", "partition"),
		epoch: gauge("topic_epoch", "Incarnations of the topic: rises when it is made anew or grows.", "table"),

		batch: histogram("batch_records", "Records in a batch.", prometheus.ExponentialBuckets(1, 4, 9)),
		apply: histogram("apply_seconds", "Time to apply a batch in ClickHouse.",
			prometheus.ExponentialBuckets(0.001, 2, 16)),
		visible: histogram("commit_to_visible_seconds",
			"Time from the commit in PostgreSQL until the row is in ClickHouse.",
			prometheus.ExponentialBuckets(0.01, 2, 14)),

		observeErrs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_cdc_observer_errors_total",
			Help: "Batches whose changes the feed could not be notified of.",
		}),
	}
	reg.MustRegister(m.observeErrs, m.backlog)
	return m
}

// count notes what was written, and how long after its commit.
func (w *writer) count(jobs []*job, merges []*merge) {
	now := w.clock.Now()
	for _, j := range jobs {
		w.metrics.batch.WithLabelValues(w.table).Observe(float64(j.batch.records))
		for _, e := range j.batch.entries {
			if e.streamed && !e.committedAt.IsZero() {
				w.metrics.visible.WithLabelValues(w.table).Observe(max(0, now.Sub(e.committedAt).Seconds()))
			}
		}
	}
	for _, m := range merges {
		w.metrics.replays.WithLabelValues(w.table).Add(float64(m.replays))
		w.metrics.stale.WithLabelValues(w.table).Add(float64(m.stale))
		w.metrics.raised.WithLabelValues(w.table).Add(float64(m.raised))
	}
}
