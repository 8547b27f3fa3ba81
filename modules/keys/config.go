package keys

import "github.com/feedrank/feedrank/modules/core"

// Config says what the app's keys look like, and how many are remembered.
type Config struct {
	core.KeyForms `koanf:",squash"`
	Remember      int `koanf:"remember" validate:"gte=10000,lte=200000000"` // keys that are no integers, in memory: 30 bytes each of UUIDs, 90 of text
}

// DefaultConfig is for integers.
func DefaultConfig() Config { return Config{KeyForms: core.DefaultKeyForms(), Remember: 8_000_000} }
