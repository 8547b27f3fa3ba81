package clickhouse

import (
	"time"

	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// Config says where ClickHouse is and how to speak to it.
type Config struct {
	Addrs        []string         `koanf:"addrs" validate:"min=1,dive,hostname_port"` // native protocol; the first that answers is used
	Database     string           `koanf:"database" validate:"required,identifier"`
	User         string           `koanf:"user" validate:"required"`
	Password     string           `koanf:"password" secret:"true"`
	MaxConns     int              `koanf:"max_conns" validate:"gte=1,lte=1000"`
	DialTimeout  time.Duration    `koanf:"dial_timeout" validate:"gte=10ms,lte=1m"`  // for each address
	QueryTimeout time.Duration    `koanf:"query_timeout" validate:"gte=10ms,lte=1h"` // where the caller sets no sooner deadline
	TLS          tlsconfig.Config `koanf:"tls"`
}

// DefaultConfig is a server on this machine.
func DefaultConfig() Config {
	return Config{
		Addrs: []string{"127.0.0.1:9000"}, Database: "feedrank", User: "default",
		MaxConns: 16, DialTimeout: time.Second, QueryTimeout: 30 * time.Second,
	}
}
