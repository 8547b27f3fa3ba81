package warm

import "time"

// Config bounds what is warmed.
type Config struct {
	Every     time.Duration `koanf:"every" validate:"gte=10s,lte=24h"`      // from one list of users to the next, which replaces it
	Timeout   time.Duration `koanf:"timeout" validate:"gte=1s,lte=10m"`     // to make a list
	ActiveFor time.Duration `koanf:"active_for" validate:"gte=1m,lte=24h"`  // who did something in so long is likely to come back
	Limit     int           `koanf:"limit" validate:"gte=1,lte=100000"`     // users in a list, the most active
	Rate      float64       `koanf:"rate" validate:"gte=0.1,lte=10000"`     // users warmed a second by one replica, at most
	PerUser   time.Duration `koanf:"per_user" validate:"gte=10ms,lte=1m"`   // to warm one user
	SlowAfter time.Duration `koanf:"slow_after" validate:"gte=1ms,lte=1m"`  // a user who took longer, or failed, doubles the pause before the next
	MaxPause  time.Duration `koanf:"max_pause" validate:"gte=10ms,lte=10m"` // and it grows to this at most
}

// DefaultConfig warms 2,000 users in five minutes.
func DefaultConfig() Config {
	return Config{
		Every: 5 * time.Minute, Timeout: 30 * time.Second, ActiveFor: time.Hour, Limit: 2000,
		Rate: 10, PerUser: 2 * time.Second, SlowAfter: 250 * time.Millisecond, MaxPause: 30 * time.Second,
	}
}
