package admission

import "time"

// Config says when a replica has enough to do.
type Config struct {
	MaxConcurrent int           `koanf:"max_concurrent" validate:"gtefield=MinConcurrent,lte=1000000"` // requests at once while the processors keep up
	MinConcurrent int           `koanf:"min_concurrent" validate:"gte=4,lte=1000000"`                  // so many are let in however busy it is
	TargetDelay   time.Duration `koanf:"target_delay" validate:"gte=100us,lte=1s"`                     // nine in ten of what is ready to run should wait less for a processor; above it, fewer requests are let in
	MaxWait       time.Duration `koanf:"max_wait" validate:"gte=0s,lte=5s"`                            // a request waits so long for a place, then it is refused
	MaxWaiting    int           `koanf:"max_waiting" validate:"gte=0,lte=100000"`                      // requests that wait at once; the one that has waited longest makes room
	RetryAfter    time.Duration `koanf:"retry_after" validate:"gte=1s,lte=1m"`                         // a refused client is told to come back after this, or up to twice as long: not all at once
}

// DefaultConfig suits a process with one to sixteen processors.
func DefaultConfig() Config {
	return Config{
		MaxConcurrent: 1024, MinConcurrent: 64, TargetDelay: 20 * time.Millisecond,
		MaxWait: 150 * time.Millisecond, MaxWaiting: 256, RetryAfter: time.Second,
	}
}
