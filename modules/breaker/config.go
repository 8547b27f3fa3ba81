// Package breaker decides when to stop asking a dependency: it bounds every call in time and number,
// and opens when calls fail or are slow. What to do instead is the caller's business.
package breaker

import "time"

// Config holds a policy for each dependency of the read path.
type Config struct {
	ClickHouse Policy `koanf:"clickhouse"`
	Postgres   Policy `koanf:"postgres"`
	Redis      Policy `koanf:"redis"`
}

// Policy says how long and how often a dependency may be asked, and when to stop.
type Policy struct {
	Timeout       time.Duration `koanf:"timeout" validate:"gte=1ms,lte=1m"`          // of one call
	SlowAfter     time.Duration `koanf:"slow_after" validate:"gte=1ms,lte=1m"`       // a call that takes longer counts as failed, though its answer is used
	MaxConcurrent int           `koanf:"max_concurrent" validate:"gte=1,lte=100000"` // calls at once; more are refused
	FailureRate   int           `koanf:"failure_rate" validate:"gte=1,lte=100"`      // opens at so many failed calls in a hundred ...
	MinCalls      int           `koanf:"min_calls" validate:"gte=1,lte=100000"`      // ... of at least so many ...
	Window        time.Duration `koanf:"window" validate:"gte=100ms,lte=10m"`        // ... in so long
	OpenFor       time.Duration `koanf:"open_for" validate:"gte=10ms,lte=10m"`       // then one call is let through: it closes the breaker, or opens it again
}

// DefaultConfig suits servers in the same data centre.
func DefaultConfig() Config {
	policy := Policy{FailureRate: 50, MinCalls: 10, Window: 5 * time.Second, OpenFor: time.Second}
	clickhouse, postgres, redis := policy, policy, policy
	clickhouse.Timeout, clickhouse.SlowAfter, clickhouse.MaxConcurrent = 400*time.Millisecond, 300*time.Millisecond, 64
	postgres.Timeout, postgres.SlowAfter, postgres.MaxConcurrent = 400*time.Millisecond, 300*time.Millisecond, 16
	redis.Timeout, redis.SlowAfter, redis.MaxConcurrent = 100*time.Millisecond, 75*time.Millisecond, 4096
	return Config{ClickHouse: clickhouse, Postgres: postgres, Redis: redis}
}
