package jobs

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	leader  prometheus.Gauge
	leads   prometheus.Counter
	runs    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	success *prometheus.GaugeVec
	skipped *prometheus.CounterVec
	fenced  prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		leader: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_jobs_leader", Help: "1 while this replica runs the jobs; the sum over replicas must be 1.",
		}),
		leads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_jobs_leads_total", Help: "How often this replica took the lead.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_jobs_runs_total",
			Help: "Runs of a job by outcome: ok, failed, timeout, lost (the lead was), stopped (the process was).",
		}, []string{"job", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "feedrank_jobs_run_seconds", Help: "Time of a run.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 12),
		}, []string{"job"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_jobs_last_success_timestamp_seconds",
			Help: "When a job was last done here, as seconds since 1970.",
		}, []string{"job"}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_jobs_skipped_total", Help: "Runs left out because the run before was still going on.",
		}, []string{"job"}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_jobs_fenced_total",
			Help: "Runs not begun because another replica had taken the lead, or PostgreSQL could not be asked.",
		}),
	}
	reg.MustRegister(m.leader, m.leads, m.runs, m.seconds, m.success, m.skipped, m.fenced)
	return m
}
