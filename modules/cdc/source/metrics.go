package source

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	leader       prometheus.Gauge
	records      *prometheus.CounterVec // table, op
	transactions prometheus.Counter
	inFlight     prometheus.Gauge
	slotLag      prometheus.Gauge
	reconnects   prometheus.Counter
	lostSlots    prometheus.Counter
	snapshotRows *prometheus.CounterVec // table
	snapshotLeft prometheus.Gauge
	shortened    *prometheus.CounterVec // table
	setAside     *prometheus.CounterVec // table
	problems     *prometheus.GaugeVec   // table
	partitions   *prometheus.CounterVec // table
	readLag      prometheus.Gauge
	heartbeat    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "feedrank_cdc_source_" + name, Help: help})
		reg.MustRegister(g)
		return g
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "feedrank_cdc_source_" + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feedrank_cdc_source_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	problems := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "feedrank_cdc_source_table_problems",
		Help: "1 while changes of a mapped table are not read, or not all of them; the log and /readyz say why.",
	}, []string{"table"})
	reg.MustRegister(problems)
	return &metrics{
		problems:     problems,
		leader:       gauge("leader", "1 while this replica reads PostgreSQL's log."),
		records:      vec("records_total", "Changes written to Kafka, by table and operation.", "table", "op"),
		transactions: counter("transactions_total", "Transactions with changes of mapped tables."),
		inFlight:     gauge("in_flight_bytes", "Bytes of records that Kafka has not acknowledged."),
		slotLag:      gauge("slot_lag_bytes", "Write-ahead log that PostgreSQL keeps for our slot."),
		reconnects:   counter("reconnects_total", "Sessions with PostgreSQL or Kafka that ended in an error."),
		lostSlots:    counter("lost_slots_total", "Times the replication slot was found gone or invalidated."),
		snapshotRows: vec("snapshot_rows_total", "Rows read by snapshots, by table.", "table"),
		snapshotLeft: gauge("snapshot_tables_left", "Tables whose snapshot is not complete."),
		shortened: vec("shortened_total", "Rows too large for a message, whose large values were left out.",
			"table"),
		setAside: vec("set_aside_total",
			"Rows too large for a message even without their large values; a comparison brings them.", "table"),
		partitions: vec("partition_changes_total",
			"Times that partitions were truncated, removed or added with their rows, for which a comparison was asked.",
			"table"),
		readLag:   gauge("read_lag_seconds", "Time from the commit to us for the last transaction."),
		heartbeat: gauge("heartbeat_timestamp_seconds", "When we last wrote to PostgreSQL that we are here."),
	}
}
