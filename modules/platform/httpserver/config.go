package httpserver

import (
	"time"

	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// Config says where the server listens and what it bears.
type Config struct {
	Addr              string           `koanf:"addr" validate:"listen_addr"`                               // host:port to listen on; :8080 for every interface, port 0 for a free one
	AdminAddr         string           `koanf:"admin_addr" validate:"omitempty,listen_addr"`               // host:port for /admin, /metrics and pprof alone, such as 127.0.0.1:8081; empty: /admin and /metrics are at addr, and there is no pprof
	TLS               tlsconfig.Server `koanf:"tls"`                                                       // of both addresses
	MaxBodyBytes      int64            `koanf:"max_body_bytes" validate:"gte=1024,lte=104857600"`          // as sent, before decompression
	MaxBodyMemory     int64            `koanf:"max_body_memory" validate:"gtefield=MaxBodyBytes"`          // bytes of all bodies that are read or worked on, at least max_body_bytes; beyond, the one that has been read longest is given up with 408
	MaxHeaderBytes    int              `koanf:"max_header_bytes" validate:"gte=1024,lte=1048576"`          // in all
	ReadHeaderTimeout time.Duration    `koanf:"read_header_timeout" validate:"gte=100ms,lte=1m"`           // against clients that trickle
	ReadTimeout       time.Duration    `koanf:"read_timeout" validate:"gte=100ms,lte=5m"`                  // headers and body
	RequestTimeout    time.Duration    `koanf:"request_timeout" validate:"gte=10ms,lte=5m"`                // what a handler may take
	IdleTimeout       time.Duration    `koanf:"idle_timeout" validate:"gte=1s,lte=1h"`                     // of a kept connection
	DrainDelay        time.Duration    `koanf:"drain_delay" validate:"gte=0s,lte=1m"`                      // between "not ready" and closing, for load balancers
	MaxConcurrent     int              `koanf:"max_concurrent" validate:"gte=1,lte=1000000"`               // calls of users at once; more are refused with 503; operators and probes have places of their own
	MaxConnections    int              `koanf:"max_connections" validate:"gte=1,lte=10000000"`             // open at once at addr; then the one that has been silent longest is closed, and a twentieth is kept for unlimited
	MaxPerAddress     int              `koanf:"max_connections_per_address" validate:"gte=1,lte=10000000"` // open at once of one client (IPv6: of one /64), but for trusted_proxies and unlimited; more are closed
	TrustedProxies    []string         `koanf:"trusted_proxies" validate:"dive,cidr"`                      // networks of your load balancers, such as 10.0.0.0/8: only they may say in X-Forwarded-For, or Forwarded, who calls
	Unlimited         []string         `koanf:"unlimited" validate:"dive,cidr"`                            // networks without limits per address, and with connections kept for them: your own backends, and what probes
	CORS              CORSConfig       `koanf:"cors"`
	GzipBytes         int              `koanf:"gzip_bytes" validate:"gte=0,lte=1048576"` // answers of so many bytes and more are compressed for clients that take gzip; 0: none
	AccessLog         bool             `koanf:"access_log"`                              // a log line for each request
}

// CORSConfig says which web pages may call the API from a browser.
type CORSConfig struct {
	Origins []string      `koanf:"origins" validate:"dive,url"`       // such as https://app.example; empty: none
	Headers []string      `koanf:"headers" validate:"dive,header"`    // that they may send: add those of your own tools
	MaxAge  time.Duration `koanf:"max_age" validate:"gte=0s,lte=24h"` // how long a browser may remember the permission
}

// DefaultConfig suits an API behind a load balancer.
func DefaultConfig() Config {
	return Config{
		Addr: "127.0.0.1:8080", MaxBodyBytes: 1 << 20, MaxBodyMemory: 64 << 20, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, RequestTimeout: 5 * time.Second,
		IdleTimeout: 2 * time.Minute, DrainDelay: 0, MaxConcurrent: 4096, MaxConnections: 20_000, MaxPerAddress: 1000,
		Unlimited: []string{"127.0.0.0/8", "::1/128"},
		CORS:      CORSConfig{Headers: corsHeaders(), MaxAge: 10 * time.Minute}, GzipBytes: 1024, AccessLog: false,
	}
}

// corsHeaders are those of the API, and those that tracing and error reporting add in a browser.
func corsHeaders() []string {
	return []string{
		"Authorization", "Content-Type", "Content-Encoding", "If-None-Match", "Last-Event-ID", "X-Request-Id",
		"Act-As",
		"traceparent", "tracestate", "baggage", "sentry-trace", "b3",
		"x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority",
	}
}
