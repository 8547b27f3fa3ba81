package keys

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	collisions, unnamed, viewers prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, b *Book) *metrics {
	m := &metrics{
		collisions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_keys_collisions_total",
			Help: "Keys that were refused because another key has the same number.",
		}),
		unnamed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_keys_unnamed_total",
			Help: "Users and posts left out of an answer because the text of their key is not known.",
		}),
		viewers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_keys_viewers_refused_total",
			Help: "Requests refused because the viewer's key has the number of another.",
		}),
	}
	reg.MustRegister(m.collisions, m.unnamed, m.viewers, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_keys_remembered", Help: "Texts of keys in memory; 0 where keys are integers.",
	}, func() float64 { return float64(b.held.len() + b.heard.len()) }))
	return m
}
