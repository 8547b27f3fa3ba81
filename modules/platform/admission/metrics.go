package admission

import "github.com/prometheus/client_golang/prometheus"

func (g *Gate) observe(reg prometheus.Registerer) {
	g.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_admission_refused_total",
		Help: "Requests refused with 503 because there was too much to do: feed, call, or computing: a feed that was not cached.",
	}, []string{"class"})
	reg.MustRegister(g.refused)
	gauge := func(name, help string, value func() int) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			g.mu.Lock()
			defer g.mu.Unlock()
			return float64(value())
		}))
	}
	gauge("feedrank_admission_limit",
		"Requests that may be under way at once; it falls while processors do not keep up.",
		func() int { return g.limit })
	gauge("feedrank_admission_inside", "Requests under way.", func() int { return g.inside })
	gauge("feedrank_admission_computing", "Requests that compute what is not cached.",
		func() int { return g.computing })
	gauge("feedrank_admission_waiting", "Requests that wait for a place.", func() int { return g.waitingNow() })
}
