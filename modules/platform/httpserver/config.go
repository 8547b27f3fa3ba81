// Package httpserver is the HTTP server: routing, authentication, limits, request ids, the access
// log and problem details. What the calls do is the features' business.
package httpserver

import "time"

// Config says where the server listens and what it bears.
type Config struct {
	Addr              string        `koanf:"addr" validate:"listen_addr"`                      // host:port to listen on; :8080 for every interface, port 0 for a free one
	MaxBodyBytes      int64         `koanf:"max_body_bytes" validate:"gte=1024,lte=104857600"` // as sent, before decompression
	MaxHeaderBytes    int           `koanf:"max_header_bytes" validate:"gte=1024,lte=1048576"` // in all
	ReadHeaderTimeout time.Duration `koanf:"read_header_timeout" validate:"gte=100ms,lte=1m"`  // against clients that trickle
	ReadTimeout       time.Duration `koanf:"read_timeout" validate:"gte=100ms,lte=5m"`         // headers and body
	RequestTimeout    time.Duration `koanf:"request_timeout" validate:"gte=10ms,lte=5m"`       // what a handler may take
	IdleTimeout       time.Duration `koanf:"idle_timeout" validate:"gte=1s,lte=1h"`            // of a kept connection
	DrainDelay        time.Duration `koanf:"drain_delay" validate:"gte=0s,lte=1m"`             // between "not ready" and closing, for load balancers
	MaxConcurrent     int           `koanf:"max_concurrent" validate:"gte=1,lte=1000000"`      // requests at once; more are refused with 503
	AccessLog         bool          `koanf:"access_log"`                                       // a log line for each request
}

// DefaultConfig suits an API behind a load balancer.
func DefaultConfig() Config {
	return Config{
		Addr: "127.0.0.1:8080", MaxBodyBytes: 1 << 20, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, RequestTimeout: 5 * time.Second,
		IdleTimeout: 2 * time.Minute, DrainDelay: 0, MaxConcurrent: 4096, AccessLog: false,
	}
}
