package console

import "time"

// Config is of the pages for operators under /console.
type Config struct {
	Session time.Duration `koanf:"session" validate:"gte=1m,lte=168h"` // how long somebody stays logged in at most; never longer than their token holds
}

// DefaultConfig lasts for a working day.
func DefaultConfig() Config { return Config{Session: 12 * time.Hour} }
