package resync

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
)

// metrics are of the comparisons. config/prometheus/runbook.md says what to do when each rises.
type metrics struct {
	differences *prometheus.CounterVec // table, difference
	repairs     *prometheus.CounterVec // table
	rows        *prometheus.GaugeVec   // table
	refused     *prometheus.GaugeVec   // table
	finished    *prometheus.GaugeVec   // table
	clock       core.Clock
}

func newMetrics(reg prometheus.Registerer, clock core.Clock) *metrics {
	m := &metrics{
		clock: clock,
		differences: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_cdc_resync_differences_total",
			Help: "Rows that a comparison found to differ: missing, wrong, too_many or edges.",
		}, []string{"table", "difference"}),
		repairs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_cdc_resync_repairs_total", Help: "Repairs that were sent to the consumer.",
		}, []string{"table"}),
		rows: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_cdc_resync_rows", Help: "Rows of the app's table that the last comparison read.",
		}, []string{"table"}),
		refused: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_cdc_resync_refused_rows",
			Help: "Rows of the app's table that are in no copy, because a key in them has the number of another.",
		}, []string{"table"}),
		finished: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_cdc_resync_finished_timestamp_seconds", Help: "When the last comparison of a table ended.",
		}, []string{"table"}),
	}
	reg.MustRegister(m.differences, m.repairs, m.rows, m.refused, m.finished)
	return m
}

func (m *metrics) found(c Comparison) {
	for difference, n := range map[string]int{
		"missing": c.Missing, "wrong": c.Wrong, "too_many": c.TooMany,
		"edges": c.Edges,
	} {
		m.differences.WithLabelValues(c.Table, difference).Add(float64(n))
	}
	m.repairs.WithLabelValues(c.Table).Add(float64(c.Repairs))
	m.rows.WithLabelValues(c.Table).Set(float64(c.Rows))
	m.refused.WithLabelValues(c.Table).Set(float64(c.Refused))
	m.finished.WithLabelValues(c.Table).Set(float64(m.clock.Now().Unix()))
}
