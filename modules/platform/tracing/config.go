package tracing

import (
	"net/http"
	"strings"
	"time"
)

// Config says what is traced, and where it is sent.
type Config struct {
	Endpoint string        `koanf:"endpoint" validate:"omitempty,http_url"`           // of OTLP over HTTP in JSON, such as http://collector:4318/v1/traces; empty: nothing is traced
	Headers  []string      `koanf:"headers" validate:"dive,contains=:" secret:"true"` // of requests to it, such as "Authorization: Bearer …"
	Service  string        `koanf:"service" validate:"required,max=255"`              // service.name of every span
	Sample   float64       `koanf:"sample" validate:"gte=0,lte=1"`                    // of requests, the part that is traced; what they make work is traced with them
	Callers  bool          `koanf:"callers"`                                          // a request goes on in the trace of its header traceparent, which decides whether it is traced; false where strangers can send one
	Queue    int           `koanf:"queue" validate:"gte=1,lte=1000000"`               // spans that wait to be sent; what comes beyond is dropped, and counted
	Every    time.Duration `koanf:"every" validate:"gte=10ms,lte=1m"`                 // spans wait for company so long
	Timeout  time.Duration `koanf:"timeout" validate:"gte=100ms,lte=1m"`              // of a request to the endpoint
}

// DefaultConfig traces nothing.
func DefaultConfig() Config {
	return Config{
		Service: "feedrank", Sample: 0.01, Queue: 4096, Every: 2 * time.Second, Timeout: 10 * time.Second,
	}
}

// header is what requests to the endpoint carry.
func (c Config) header() http.Header {
	h := http.Header{}
	for _, line := range c.Headers {
		name, value, _ := strings.Cut(line, ":") // validated
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	h.Set("Content-Type", "application/json")
	return h
}
