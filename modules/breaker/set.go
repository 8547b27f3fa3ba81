package breaker

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Set holds the breakers of all dependencies.
type Set struct {
	ClickHouse *Breaker
	Postgres   *Breaker
	Redis      *Breaker
}

// NewSet makes closed breakers.
func NewSet(cfg Config, reg prometheus.Registerer, log *zap.Logger) *Set {
	m := newMetrics(reg)
	return &Set{
		ClickHouse: newBreaker("clickhouse", cfg.ClickHouse, m, log),
		Postgres:   newBreaker("postgres", cfg.Postgres, m, log),
		Redis:      newBreaker("redis", cfg.Redis, m, log),
	}
}

func (s *Set) all() []*Breaker { return []*Breaker{s.ClickHouse, s.Postgres, s.Redis} }

func (s *Set) byName(name string) (*Breaker, bool) {
	for _, b := range s.all() {
		if b.name == name {
			return b, true
		}
	}
	return nil, false
}

type metrics struct {
	state       *prometheus.GaugeVec
	transitions *prometheus.CounterVec
	calls       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		state: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "feedrank_breaker_state", Help: "State of a dependency's breaker: 0 closed, 1 half-open, 2 open.",
		}, []string{"dependency"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_breaker_transitions_total", Help: "Changes of a breaker's state, by the state it came to.",
		}, []string{"dependency", "to"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_breaker_calls_total", Help: "Calls by outcome: ok, failed, slow, abandoned by the caller, refused while open, or too many at once.",
		}, []string{"dependency", "outcome"}),
	}
	reg.MustRegister(m.state, m.transitions, m.calls)
	return m
}
