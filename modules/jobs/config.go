package jobs

import "time"

// Config says how the replicas agree on who runs the jobs, and how much they remember.
type Config struct {
	Beat        time.Duration `koanf:"beat" validate:"gte=100ms,lte=10s"`      // how often the leader makes sure, and a replica without the lead tries for it
	LeadTimeout time.Duration `koanf:"lead_timeout" validate:"gte=1s,lte=10m"` // a leader not heard of for so long has lost the lead; at least four beats
	History     int           `koanf:"history" validate:"gte=1,lte=1000"`      // runs kept of each job
}

// DefaultConfig replaces a leader that is killed within about a second, one that is frozen within six.
func DefaultConfig() Config {
	return Config{Beat: time.Second, LeadTimeout: 5 * time.Second, History: 50}
}

// Check holds the settings against each other.
func (c Config) Check() map[string]string {
	if c.LeadTimeout < 4*c.Beat {
		return map[string]string{"lead_timeout": "want at least four times jobs.beat"}
	}
	return nil
}

// beatTimeout bounds one statement on the lead's connection. With the beat before it, it ends before
// PostgreSQL gives the lead to another: whoever cannot reach it stops first.
func (c Config) beatTimeout() time.Duration { return c.LeadTimeout / 2 }
