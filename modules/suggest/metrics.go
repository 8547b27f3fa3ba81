package suggest

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	circles     *prometheus.CounterVec
	circleBytes prometheus.Gauge
	answers     *prometheus.CounterVec
	seconds     prometheus.Histogram
	refused     prometheus.Counter
	unsaved     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		circles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_suggest_circles_total",
			Help: "Whom people follow and care for, as computations needed it: kept in memory, or asked for.",
		}, []string{"outcome"}),
		circleBytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_suggest_circle_bytes", Help: "Bytes of that in memory; suggest.circle_bytes bounds them.",
		}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_suggest_answers_total", Help: "Lists of suggested users by what they are made from.",
		}, []string{"served_from"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feedrank_suggest_compute_seconds", Help: "Time to compute one user's suggestions.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 12),
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_suggest_refused_total", Help: "Computations not begun because too many were under way.",
		}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_suggest_save_failed_total", Help: "Lists that Redis did not take.",
		}),
	}
	reg.MustRegister(m.circles, m.circleBytes, m.answers, m.seconds, m.refused, m.unsaved)
	return m
}
