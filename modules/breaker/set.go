package breaker

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

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
func NewSet(cfg Config, reg prometheus.Registerer, log *zap.Logger) *Set {
	m := newMetrics(reg)
	never := func(error) bool { return false } // Redis is a cache, and the producer of Kafka repeats by itself
	return &Set{
		ClickHouse: newBreaker("clickhouse", cfg.ClickHouse, clickhouse.IsConnectionError, m, log),
		Discovery:  newBreaker("discovery", cfg.Discovery, clickhouse.IsConnectionError, m, log),
		Postgres:   newBreaker("postgres", cfg.Postgres, postgres.IsConnectionError, m, log),
		Redis:      newBreaker("redis", cfg.Redis, never, m, log),
		Kafka:      newBreaker("kafka", cfg.Kafka, never, m, log),
	}
}

func (s *Set) all() []*Breaker {
	return []*Breaker{s.ClickHouse, s.Discovery, s.Postgres, s.Redis, s.Kafka}
}

func (s *Set) byName(name string) (*Breaker, bool) {
	for _, b := range s.all() {
		if b.name == name {
			return b, true
		}
	}
	return nil, false
}
