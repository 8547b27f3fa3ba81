package breaker

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Set holds the breakers of all servers.
type Set struct {
	ClickHouse *Breaker
	Discovery  *Breaker
	Postgres   *Breaker
	Redis      *Breaker
	Kafka      *Breaker
}

// NewSet makes closed breakers.
func NewSet(cfg Config, clock core.Clock, reg prometheus.Registerer, log *zap.Logger) *Set {
	m := newMetrics(reg)
	of := func(name string, policy Policy, broken func(error) bool) *Breaker {
		return newBreaker(name, policy, broken, clock, m, log)
	}
	never := func(error) bool { return false } // Redis is a cache, and the producer of Kafka repeats by itself
	return &Set{
		ClickHouse: of("clickhouse", cfg.ClickHouse, clickhouse.IsConnectionError),
		Discovery:  of("discovery", cfg.Discovery, clickhouse.IsConnectionError),
		Postgres:   of("postgres", cfg.Postgres, postgres.IsConnectionError),
		Redis:      of("redis", cfg.Redis, never),
		Kafka:      of("kafka", cfg.Kafka, never),
	}
}

// All are the breakers, each of one server.
func (s *Set) All() []*Breaker {
	return []*Breaker{s.ClickHouse, s.Discovery, s.Postgres, s.Redis, s.Kafka}
}

// Status is that of each.
func (s *Set) Status() []Status {
	var all []Status
	for _, b := range s.All() {
		all = append(all, b.Status())
	}
	return all
}

// ByName is the breaker of a dependency.
func (s *Set) ByName(name string) (*Breaker, bool) {
	for _, b := range s.All() {
		if b.name == name {
			return b, true
		}
	}
	return nil, false
}
