package keys

import "github.com/feedrank/feedrank/modules/core"

// Config says what the app's keys look like, and how many are remembered.
type Config struct {
	Users    core.KeyForm `koanf:"users" validate:"oneof=integer uuid text"`    // what keys of users look like: 64-bit integers, UUIDs, or any text of at most 64 bytes
	Posts    core.KeyForm `koanf:"posts" validate:"oneof=integer uuid text"`    // what keys of posts look like
	Groups   core.KeyForm `koanf:"groups" validate:"oneof=integer uuid text"`   // what keys of groups look like, where posts are for their members
	Remember int          `koanf:"remember" validate:"gte=10000,lte=200000000"` // keys that are no integers, in memory: 30 bytes each of UUIDs, 90 of other text
}

// DefaultConfig is for integers.
func DefaultConfig() Config {
	return Config{Users: core.IntegerKeys, Posts: core.IntegerKeys, Groups: core.IntegerKeys, Remember: 8_000_000}
}

// Forms are what keys of clients look like.
func (c Config) Forms() core.KeyForms {
	return core.KeyForms{Users: c.Users, Posts: c.Posts, Groups: c.Groups}
}
