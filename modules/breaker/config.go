package breaker

import "time"

// Config holds a policy for each server.
type Config struct {
	ClickHouse Policy `koanf:"clickhouse"`
	Discovery  Policy `koanf:"discovery"` // ClickHouse as suggestions ask it: heavier questions, which must not take the feed's places
	Postgres   Policy `koanf:"postgres"`
	Redis      Policy `koanf:"redis"`
	Kafka      Policy `koanf:"kafka"`
}

// Policy says how long and how often a server may be asked, and when to stop.
type Policy struct {
	Timeout       time.Duration `koanf:"timeout" validate:"gte=1ms,lte=1m"`                           // of one call; a request whose own time ends sooner ends it
	SlowAfter     time.Duration `koanf:"slow_after" validate:"gte=1ms,lte=1m"`                        // a call that takes longer counts as failed, though its answer is used
	MinConcurrent int           `koanf:"min_concurrent" validate:"gte=1,lte=100000"`                  // calls at once are always allowed up to this; above, the limit follows the server's latency ...
	MaxConcurrent int           `koanf:"max_concurrent" validate:"gtefield=MinConcurrent,lte=100000"` // ... up to this
	MaxWait       time.Duration `koanf:"max_wait" validate:"gte=0s,lte=10s"`                          // beyond the limit a call waits so long for a place, then it is refused; four times as many as may run wait at most
	Retries       int           `koanf:"retries" validate:"gte=0,lte=3"`                              // of a call that found its connection broken; only for a server that is only read
	RetryBudget   int           `koanf:"retry_budget" validate:"gte=0,lte=100"`                       // retries in a hundred calls, at most
	Calls         int           `koanf:"calls" validate:"gte=2,lte=100000"`                           // of so many calls, the latest, ...
	CountFor      time.Duration `koanf:"count_for" validate:"gte=0s,lte=1m"`                          // ... spread over so long at least: under much traffic not every call counts, ...
	FailureRate   int           `koanf:"failure_rate" validate:"gte=1,lte=100"`                       // ... so many in a hundred failed or were slow: it opens
	OpenFor       time.Duration `koanf:"open_for" validate:"gte=10ms,lte=10m"`                        // then one call is let through: it closes the breaker, or opens it again
}

// DefaultConfig suits servers in the same data centre. The window is of calls, so that a breaker opens
// under little traffic, too; and of a quarter of a second at least: with 5 s, 2.5 s of requests would be
// hurt, and with none, 20 calls to Redis are 15 ms of a busy replica, and a hiccup of 75 ms opened it.
func DefaultConfig() Config {
	policy := Policy{
		FailureRate: 50, Calls: 20, CountFor: 250 * time.Millisecond, OpenFor: time.Second,
		RetryBudget: 10,
	}
	clickhouse, discovery, postgres, redis, kafka := policy, policy, policy, policy, policy
	clickhouse.Timeout, clickhouse.SlowAfter, clickhouse.MaxWait = 400*time.Millisecond, 300*time.Millisecond,
		100*time.Millisecond
	clickhouse.MinConcurrent, clickhouse.MaxConcurrent = 2, 64
	discovery.Timeout, discovery.SlowAfter, discovery.MaxWait = time.Second, 900*time.Millisecond, 50*time.Millisecond
	discovery.MinConcurrent, discovery.MaxConcurrent = 4, 16
	postgres.Timeout, postgres.SlowAfter, postgres.MaxWait = 200*time.Millisecond, 100*time.Millisecond,
		50*time.Millisecond
	postgres.MinConcurrent, postgres.MaxConcurrent, postgres.Retries = 8, 32, 1
	// a late answer is worth more than none
	redis.Timeout, redis.SlowAfter, redis.MaxWait = 100*time.Millisecond, 100*time.Millisecond, 20*time.Millisecond
	redis.OpenFor = 250 * time.Millisecond // meanwhile every page is computed, or refused
	redis.MinConcurrent, redis.MaxConcurrent = 256, 4096
	kafka.Timeout, kafka.SlowAfter, kafka.MaxWait = 5*time.Second, 2*time.Second, 100*time.Millisecond
	kafka.MinConcurrent, kafka.MaxConcurrent = 128, 1024
	return Config{ClickHouse: clickhouse, Discovery: discovery, Postgres: postgres, Redis: redis, Kafka: kafka}
}
