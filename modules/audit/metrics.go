package audit

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	runs     *prometheus.CounterVec
	findings *prometheus.GaugeVec
	checked  *prometheus.CounterVec
	repaired prometheus.Counter
	pending  prometheus.Gauge
	withheld prometheus.Gauge
	success  prometheus.Gauge
	seconds  prometheus.Histogram
	running  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_audit_runs_total",
			Help: "Audits by result: ok, wrong (something is and was not repaired), failed (it did not come to its end).",
		}, []string{"result"}),
		findings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_audit_findings",
			Help: "What the last audit of this process found wrong, repaired or not, by kind.",
		}, []string{"kind"}),
		checked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_audit_checked_total",
			Help: "What was looked at: hours and days of views in a partition, ranges, rows.",
		}, []string{"what"}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_audit_repaired_total", Help: "Buckets of views that owners put right.",
		}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_audit_pending_partitions",
			Help: "Partitions with an unfinished batch in the last audit of this process.",
		}),
		withheld: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_audit_withheld_partitions",
			Help: "Partitions whose views the last audit did not repair, because their raw rows are wrong.",
		}),
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_audit_last_complete_timestamp_seconds",
			Help: "When an audit of this process last came to its end, as seconds since 1970.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feedrank_audit_seconds", Help: "Time of an audit.",
			Buckets: prometheus.ExponentialBuckets(0.5, 2, 13),
		}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_audit_running", Help: "Audits that this process runs now: 0 or 1.",
		}),
	}
	reg.MustRegister(m.runs, m.findings, m.checked, m.repaired, m.pending, m.withheld, m.success, m.seconds, m.running)
	return m
}

func (m *metrics) observe(r *Report) {
	result := "ok"
	switch {
	case r.Error != "":
		result = "failed"
	case !r.OK():
		result = "wrong"
	}
	m.runs.WithLabelValues(result).Inc()
	for _, kind := range Kinds() {
		m.findings.WithLabelValues(string(kind)).Set(float64(r.Counts[kind]))
	}
	for what, n := range map[string]uint64{
		"hours": r.Checked.Hours, "days": r.Checked.Days, "ranges": r.Checked.Ranges,
		"rows": r.Checked.Rows,
	} {
		m.checked.WithLabelValues(what).Add(float64(n))
	}
	m.repaired.Add(float64(r.Repaired))
	m.pending.Set(float64(len(r.Pending)))
	m.withheld.Set(float64(len(r.Withheld)))
	m.seconds.Observe(r.FinishedAt.Sub(r.StartedAt).Seconds())
	if r.Error == "" {
		m.success.Set(float64(r.FinishedAt.Unix()))
	}
}
