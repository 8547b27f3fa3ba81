package breaker

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	registry    prometheus.Registerer
	transitions *prometheus.CounterVec
	calls       *prometheus.CounterVec
	retries     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		registry: reg,
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_breaker_transitions_total",
			Help: "Changes of a breaker's state, by the state it came to and why: failures, delay, probe or operator.",
		}, []string{"dependency", "to", "reason"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_breaker_calls_total",
			Help: "Calls by outcome: ok, failed, slow, abandoned by the caller, panicked, refused while open, or full: too many at once.",
		}, []string{"dependency", "outcome"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_breaker_retries_total",
			Help: "Calls whose connection was broken: repeated, or not because the budget of retries was used up.",
		}, []string{"dependency", "outcome"}),
	}
	reg.MustRegister(m.transitions, m.calls, m.retries)
	return m
}

// observe shows what a breaker is like at the moment of asking.
func (m *metrics) observe(b *Breaker) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: name, Help: help, ConstLabels: prometheus.Labels{"dependency": b.name},
		}, value))
	}
	gauge("feedrank_breaker_state", "State of a dependency's breaker: 0 closed, 1 half-open, 2 open.",
		func() float64 { return stateValue(b.circuit.State()) })
	gauge("feedrank_breaker_forced", "What an operator forces a breaker to: 0 nothing, 1 closed, 2 open.",
		func() float64 { return modeValue(*b.mode.Load()) })
	gauge("feedrank_breaker_limit", "Calls that may be under way at once; follows the latency.",
		func() float64 { return float64(b.limit.Limit()) })
	gauge("feedrank_breaker_in_flight", "Calls under way.", func() float64 { return float64(b.limit.Inflight()) })
	gauge("feedrank_breaker_waiting", "Calls that wait for a place.",
		func() float64 { return float64(b.limit.Queued()) })
}
