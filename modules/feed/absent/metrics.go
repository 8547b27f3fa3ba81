package absent

import "github.com/prometheus/client_golang/prometheus"

type metrics struct{ leftOut, failures prometheus.Counter }

func newMetrics(reg prometheus.Registerer, s *Set) *metrics {
	m := &metrics{
		leftOut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_absent_left_out_total",
			Help: "Suspended or deleted people whose posts are shown, because feed.absent.max_people was reached; one at least for each reading while it is.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_absent_failures_total",
			Help: "Readings of who is suspended or deleted that failed; changes still come from Kafka.",
		}),
	}
	reg.MustRegister(m.leftOut, m.failures, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_absent_people",
		Help: "People who are suspended, hidden or deleted, and whose posts this replica leaves out; 16 to 64 bytes each.",
	}, func() float64 { return float64(s.Len()) }))
	return m
}
