package absent

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ leftOut, failures prometheus.Counter }

func newMetrics(reg prometheus.Registerer, s *Set) *metrics {
	m := &metrics{
		leftOut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_" + s.words.metric + "_left_out_total",
			Help: s.words.left,
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_" + s.words.metric + "_failures_total",
			Help: s.words.read,
		}),
	}
	reg.MustRegister(m.leftOut, m.failures, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_" + s.words.metric + "_people",
		Help: s.words.people,
	}, func() float64 { return float64(s.Len()) }))
	return m
}
