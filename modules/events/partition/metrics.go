package partition

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Metrics are the consumer's figures. The label partition is bounded by the topic's partitions.
type Metrics struct {
	records      *prometheus.CounterVec // partition, outcome
	duplicates   *prometheus.CounterVec // partition, found
	deadLetters  *prometheus.CounterVec // reason
	bytes        *prometheus.CounterVec // partition, outcome
	Backlog      *kafka.Backlog         // what waits in the partitions
	windowIDs    *prometheus.GaugeVec
	filterBytes  *prometheus.GaugeVec
	possible     *prometheus.CounterVec
	stopped      *prometheus.GaugeVec
	sealed       *prometheus.CounterVec // reason
	batchRows    prometheus.Histogram
	batchAge     prometheus.Histogram
	batchSeconds prometheus.Histogram
	insert       prometheus.Histogram
	sinceProduce prometheus.Histogram
	sinceOccured prometheus.Histogram
	fences       prometheus.Counter
	fenced       prometheus.Counter
	uncertain    *prometheus.CounterVec // kind
	reconciled   prometheus.Counter
	killed       prometheus.Counter
	acquire      prometheus.Histogram
	Rebalances   prometheus.Counter // sessions that began
	Pauses       prometheus.Counter // of fetching a partition
	lost         prometheus.Counter
	observe      prometheus.Counter
	fills        prometheus.Counter
	resumed      prometheus.Counter
	foreign      prometheus.Counter
	judged       *prometheus.CounterVec // partition, verdict
	lookups      *prometheus.CounterVec // partition
	earlyPosts   *prometheus.GaugeVec   // partition
	resolved     prometheus.Counter
	earlyDropped prometheus.Counter
}

// NewMetrics makes and registers them.
func NewMetrics(reg prometheus.Registerer, clock core.Clock) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feedrank_events_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feedrank_events_" + name, Help: help},
			[]string{"partition"})
		reg.MustRegister(g)
		return g
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feedrank_events_" + name, Help: help,
			Buckets: buckets,
		})
		reg.MustRegister(h)
		return h
	}
	backlog := kafka.NewBacklog("feedrank_events_", clock, "partition")
	reg.MustRegister(backlog)
	seconds := prometheus.ExponentialBuckets(0.005, 2, 16)
	return &Metrics{
		records: counter("records_total",
			"Records read from Kafka, by what became of them: event, duplicate, dead_letter, erased (it names somebody who is).", "partition", "outcome"),
		duplicates: counter("duplicates_total",
			"Copies of events that were dropped, by where the first was found: window, table.", "partition", "found"),
		deadLetters: counter("dead_letters_total", "Records that are no event, by reason.", "reason"),
		bytes: counter("bytes_total",
			"Bytes of the keys and values of records read from Kafka, by what became of them: event, duplicate, dead_letter.", "partition", "outcome"),
		Backlog:     backlog,
		windowIDs:   gauge("window_ids", "Recent ids held exactly."),
		filterBytes: gauge("filter_bytes", "Memory of the filter over all ids of the raw table."),
		possible: counter("possible_duplicates_total",
			"Events that the filter did not exclude, by what the look-up said: copy, new.", "partition", "verdict"),
		stopped: gauge("partition_stopped",
			"1 while a partition waits for an operator; its log line says for what."),
		sealed:    counter("batches_total", "Batches sealed, by what sealed them: rows, bytes, age.", "reason"),
		batchRows: histogram("batch_rows", "Records in a batch.", prometheus.ExponentialBuckets(1, 4, 10)),
		batchAge: histogram("batch_age_seconds",
			"How long a batch's first record had waited here when the batch was sealed.",
			prometheus.ExponentialBuckets(0.001, 2, 16)),
		batchSeconds: histogram("batch_seconds", "Time from sealing a batch to having applied it.", seconds),
		insert:       histogram("insert_seconds", "Time of one insert into the raw table and the views.", seconds),
		sinceProduce: histogram("produce_to_applied_seconds",
			"Age of a batch's oldest record, by Kafka's timestamp, when it was applied.", seconds),
		sinceOccured: histogram("occurred_to_applied_seconds",
			"Age of a batch's first event, by the client's clock, when it was applied.",
			prometheus.ExponentialBuckets(0.05, 4, 13)),
		fences: counter("fences_total", "Fences acquired.").WithLabelValues(),
		fenced: counter("fenced_total",
			"Times that ClickHouse refused us because another consumer had the partition.").WithLabelValues(),
		uncertain: counter("uncertain_total",
			"Writes whose outcome had to be looked up, by kind: timeout, connection, server.", "kind"),
		reconciled: counter("reconciled_buckets_total",
			"Rows of views that differed from the raw table and were put right.").WithLabelValues(),
		killed: counter("hung_statements_total",
			"Statements of ours that were ended because they hung.").WithLabelValues(),
		acquire: histogram("acquire_seconds", "Time to acquire a partition: fence, look-up, reconciling, filter.",
			seconds),
		Rebalances: counter("rebalances_total", "Sessions of the consumer group that began here.").WithLabelValues(),
		Pauses: counter("pauses_total",
			"Times that fetching a partition was paused because its queue was full.").WithLabelValues(),
		lost: counter("lost_offsets_total",
			"Offsets that Kafka had deleted before they were read.").WithLabelValues(),
		observe: counter("observe_failures_total",
			"Batches that were applied but could not be told to the rest of the program.").WithLabelValues(),
		resumed: counter("resumed_total",
			"Partitions that stayed with this process over a rebalance and went on under their fence.").WithLabelValues(),
		fills: counter("filter_fills_total",
			"Times that the filter of a partition was read from the raw table: when it was taken from another process.").WithLabelValues(),
		foreign: counter("foreign_sessions_total",
			"Events whose feed_session was not given to their user for their post; they count without it.").WithLabelValues(),
		judged: counter("judged_total",
			"Events by whether they count: counted; repeated, own, not_visible, not_served count nothing; unresolved counts once there is a record of the post.", "partition", "verdict"),
		lookups: counter("state_lookups_total",
			"Reactions whose state before had to be looked up in the raw table.", "partition"),
		earlyPosts: gauge("unresolved_posts",
			"Posts without a record that events were ahead of, and that are looked for."),
		resolved: counter("resolved_posts_total",
			"Posts that events were ahead of and that were found.").WithLabelValues(),
		earlyDropped: counter("unresolved_dropped_total",
			"Posts that events were ahead of and that are looked for no longer: too many, or too long; an audit counts what is found later.").WithLabelValues(),
	}
}

// partitionMetrics are the figures of one partition, looked up once.
type partitionMetrics struct {
	*Metrics
	events, copies, dead prometheus.Counter
	bytes                struct{ events, copies, dead prometheus.Counter }
	erased               prometheus.Counter
	dedup                dedup.Counts
	windowIDs, bloom     prometheus.Gauge
	stopped              prometheus.Gauge
	standing             [counting.Verdicts]prometheus.Counter
	early                prometheus.Gauge
}

func (m *Metrics) of(partition int32) *partitionMetrics {
	label := kafka.PartitionLabel(partition)
	p := &partitionMetrics{
		Metrics: m,
		events:  m.records.WithLabelValues(label, "event"), copies: m.records.WithLabelValues(label, "duplicate"),
		dead: m.records.WithLabelValues(label, "dead_letter"), erased: m.records.WithLabelValues(label, "erased"),
		windowIDs: m.windowIDs.WithLabelValues(label), bloom: m.filterBytes.WithLabelValues(label),
		stopped: m.stopped.WithLabelValues(label),
	}
	p.bytes.events, p.bytes.copies, p.bytes.dead = m.bytes.WithLabelValues(label, "event"),
		m.bytes.WithLabelValues(label, "duplicate"), m.bytes.WithLabelValues(label, "dead_letter")
	p.dedup = dedup.Counts{
		InWindow: m.duplicates.WithLabelValues(label, "window"), InTable: m.duplicates.WithLabelValues(label, "table"),
		Confirmed: m.possible.WithLabelValues(label, "copy"), Dismissed: m.possible.WithLabelValues(label, "new"),
		StateLookups: m.lookups.WithLabelValues(label), Fills: m.fills,
	}
	for v := range p.standing {
		p.standing[v] = m.judged.WithLabelValues(label, counting.Verdict(v).String()) // 0 to 5
	}
	p.early = m.earlyPosts.WithLabelValues(label)
	return p
}

// Forget drops the gauges of a partition that is somebody else's now.
func (m *Metrics) Forget(partition int32) {
	label := kafka.PartitionLabel(partition)
	for _, g := range []*prometheus.GaugeVec{m.windowIDs, m.filterBytes, m.stopped, m.earlyPosts} {
		g.DeleteLabelValues(label)
	}
}

func (p *Worker) measure(started time.Time) {
	b, m, now := &p.batch, p.metrics, p.Clock.Now()
	m.events.Add(float64(len(b.rows)))
	m.copies.Add(float64(b.duplicates))
	m.dead.Add(float64(len(b.deadLetters)))
	m.erased.Add(float64(b.erased))
	events, copies, dead := b.outcomes()
	m.bytes.events.Add(float64(events))
	m.bytes.copies.Add(float64(copies))
	m.bytes.dead.Add(float64(dead))
	m.batchRows.Observe(float64(b.records))
	m.batchSeconds.Observe(now.Sub(started).Seconds())
	m.sinceProduce.Observe(now.Sub(b.oldest).Seconds())
	if len(b.rows) > 0 {
		m.sinceOccured.Observe(max(0, float64(now.UnixMilli()-b.rows[0].Occurred)/1000))
	}
	var judged [counting.Verdicts]int
	for i := range b.rows {
		judged[b.rows[i].Verdict]++
	}
	for v, n := range judged {
		m.standing[v].Add(float64(n))
	}
	ids, filterBytes := p.dedup.Size()
	m.windowIDs.Set(float64(ids))
	m.bloom.Set(float64(filterBytes))
	p.dedup.ForgetBefore(ledger.DayOf(b.newest.UnixMilli() - ledger.RawRetention.Milliseconds()))
}
