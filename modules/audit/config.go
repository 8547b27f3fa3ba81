package audit

import "time"

// Config says how often and how far back is audited, and what an audit may cost.
type Config struct {
	Every     time.Duration `koanf:"every" validate:"gte=1m,lte=168h"`                           // from the start of an audit to the start of the next
	Since     time.Duration `koanf:"since" validate:"gte=1h,lte=720h"`                           // how far back it looks
	Repair    bool          `koanf:"repair"`                                                     // have the owners put wrong counts right
	Settle    time.Duration `koanf:"settle" validate:"gte=0s,lte=10m"`                           // a difference that goes away within this is a batch under way
	Timeout   time.Duration `koanf:"timeout" validate:"gte=1m,lte=24h"`                          // for a whole audit
	MaxMemory uint64        `koanf:"max_memory_bytes" validate:"gte=67108864,lte=1099511627776"` // of one query in ClickHouse
}

// DefaultConfig looks at the last day every hour, and repairs.
func DefaultConfig() Config {
	return Config{
		Every: time.Hour, Since: 24 * time.Hour, Repair: true, Settle: 30 * time.Second,
		Timeout: 30 * time.Minute, MaxMemory: 1 << 30,
	}
}

// Check holds the settings against each other.
func (c Config) Check() map[string]string {
	if c.Timeout < 2*c.Settle {
		return map[string]string{"timeout": "want at least twice audit.settle"}
	}
	return nil
}
