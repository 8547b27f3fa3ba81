package updates

import (
	"time"

	"github.com/feedrank/feedrank/modules/platform/eventstream"
)

// Config is what is set under feed.updates.
type Config struct {
	MaxStreams   int           `koanf:"max_streams" validate:"gte=1,lte=1000000"`       // open at once in a replica, about 8 KiB each; more are refused with 503. http.max_connections must leave room for other calls
	MaxPerUser   int           `koanf:"max_streams_per_user" validate:"gte=1,lte=1000"` // open at once of one user in a replica: their devices and tabs; more are refused with 429
	MaxFollows   int           `koanf:"max_follows" validate:"gte=1000,lte=1000000000"` // whom all viewers with an open stream follow, 8 to 16 bytes each; beyond, streams are refused with 503
	Heartbeat    time.Duration `koanf:"heartbeat" validate:"gte=1s,lte=5m"`             // a stream that sends nothing for so long sends a comment: less than what proxies close after
	MaxAge       time.Duration `koanf:"max_age" validate:"gte=10s,lte=24h"`             // a stream ends after so long, give or take a tenth, so that clients spread over replicas
	WriteTimeout time.Duration `koanf:"write_timeout" validate:"gte=100ms,lte=1m"`      // a client that takes nothing for so long is ended
	Retry        time.Duration `koanf:"retry" validate:"gte=100ms,lte=10m"`             // after which a client that lost its stream is told to come back
	AtOnce       int           `koanf:"at_once" validate:"gte=1,lte=1000"`              // streams that are counted again at once; a post of somebody with many followers has them wait for each other
	RetryFailed  time.Duration `koanf:"retry_failed" validate:"gte=100ms,lte=10m"`      // a count that failed, as while Redis is away, is tried again after that
}

// DefaultConfig suits a replica with the default of http.max_connections.
func DefaultConfig() Config {
	return Config{
		MaxStreams: 10_000, MaxPerUser: 8, MaxFollows: 10_000_000, Heartbeat: 20 * time.Second,
		MaxAge:       30 * time.Minute,
		WriteTimeout: 5 * time.Second, Retry: 3 * time.Second, AtOnce: 2, RetryFailed: 5 * time.Second,
	}
}

// Streams are the bounds of streams.
func (c *Config) Streams() eventstream.Options {
	return eventstream.Options{
		Most: c.MaxStreams, MostOfUser: c.MaxPerUser, Heartbeat: c.Heartbeat, MaxAge: c.MaxAge,
		WriteTimeout: c.WriteTimeout, Retry: c.Retry,
	}
}
