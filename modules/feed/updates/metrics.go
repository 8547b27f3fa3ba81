package updates

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	counts  *prometheus.CounterVec
	seconds prometheus.Histogram
	refused prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, follows func() float64) *metrics {
	m := &metrics{
		counts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_updates_counts_total",
			Help: "Counts of new posts for open streams: told (the number was another), same, failed (tried again).",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "feedrank_feed_updates_seconds",
			Help:    "From when a replica heard of a change until it told a stream of it.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_updates_refused_total",
			Help: "Streams that were refused because all viewers follow more than feed.updates.max_follows.",
		}),
	}
	reg.MustRegister(m.counts, m.seconds, m.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_updates_follows",
		Help: "Whom viewers with an open stream follow, in all: see feed.updates.max_follows.",
	}, follows))
	for _, result := range []string{"told", "same", "failed"} {
		m.counts.WithLabelValues(result)
	}
	return m
}
