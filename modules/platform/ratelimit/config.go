package ratelimit

import "time"

// Config says how many requests we take of one user and of one address.
type Config struct {
	UserPerMinute    int `koanf:"user_per_minute" validate:"gte=0,lte=1000000"`     // requests of one user; more are answered 429; 0: no limit
	AddressPerMinute int `koanf:"address_per_minute" validate:"gte=0,lte=10000000"` // requests from one address (IPv6: from one /64), but for http.unlimited; 0: no limit
	MaxKeys          int `koanf:"max_keys" validate:"gte=1000,lte=100000000"`       // users, and addresses, that are counted at once, 50 bytes each; more share one count
}

// DefaultConfig stops scripts, not people: many of whom may share one address.
func DefaultConfig() Config {
	return Config{UserPerMinute: 1200, AddressPerMinute: 12_000, MaxKeys: 200_000}
}

// Rules are those of requests.
func (c Config) rules() (user, address Rule) {
	rule := Rule{Name: "user", Limit: c.UserPerMinute, Window: time.Minute, Sliding: true, MaxKeys: c.MaxKeys}
	user = rule
	rule.Name, rule.Limit = "address", c.AddressPerMinute
	return user, rule
}
