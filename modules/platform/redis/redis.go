// Package redis is the client of Redis. It is a cache: every caller can go on without it.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// Config says where Redis is. Several addresses mean Redis Cluster.
type Config struct {
	Addrs        []string         `koanf:"addrs" validate:"min=1,dive,hostname_port"` // several: Redis Cluster
	User         string           `koanf:"user"`
	Password     string           `koanf:"password" secret:"true"`
	DB           int              `koanf:"db" validate:"gte=0,lte=15"`
	DialTimeout  time.Duration    `koanf:"dial_timeout" validate:"gte=10ms,lte=1m"`
	WriteTimeout time.Duration    `koanf:"write_timeout" validate:"gte=10ms,lte=1m"`
	DisableCache bool             `koanf:"disable_cache"` // true: no client-side caching, for servers without CLIENT TRACKING (before Redis 6)
	TLS          tlsconfig.Config `koanf:"tls"`
}

// DefaultConfig is a server on this machine.
func DefaultConfig() Config {
	return Config{
		Addrs: []string{"127.0.0.1:6379"}, DialTimeout: 500 * time.Millisecond, WriteTimeout: time.Second, DisableCache: true,
	}
}

// ErrDown is returned while there is no connection and the last attempt to make one was too recent.
var ErrDown = errors.New("redis is not connected")

// redialAfter spaces the attempts to connect, so that a lost Redis costs requests nothing.
const redialAfter = 250 * time.Millisecond

// Client connects when it is first used and goes on trying, because rueidis itself refuses to be
// made while the server is away. It is safe for concurrent use.
type Client struct {
	cfg Config

	mu      sync.Mutex
	inner   rueidis.Client
	dialing bool
	failed  time.Time
	closed  bool
}

// New makes a client without dialling.
func New(cfg Config) *Client { return &Client{cfg: cfg} }

// Conn is the library's client, or why there is none. It never waits for a dial of somebody else.
func (c *Client) Conn() (rueidis.Client, error) {
	c.mu.Lock()
	if c.inner != nil || c.closed || c.dialing || time.Since(c.failed) < redialAfter {
		defer c.mu.Unlock()
		if c.inner == nil {
			return nil, ErrDown
		}
		return c.inner, nil
	}
	c.dialing = true
	c.mu.Unlock()

	inner, err := c.dial()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = false
	switch {
	case err != nil:
		c.failed = time.Now()
		return nil, fmt.Errorf("redis connect: %w", err)
	case c.closed:
		inner.Close()
		return nil, ErrDown
	}
	c.inner = inner
	return inner, nil
}

// Ping asks whether Redis answers.
func (c *Client) Ping(ctx context.Context) error {
	conn, err := c.Conn()
	if err != nil {
		return err
	}
	return conn.Do(ctx, conn.B().Ping().Build()).Error()
}

// Close closes the connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.inner != nil {
		c.inner.Close()
		c.inner = nil
	}
}

func (c *Client) dial() (rueidis.Client, error) {
	tlsConfig, err := c.cfg.TLS.Client()
	if err != nil {
		return nil, fmt.Errorf("redis.%w", err)
	}
	return rueidis.NewClient(rueidis.ClientOption{
		InitAddress: c.cfg.Addrs, Username: c.cfg.User, Password: c.cfg.Password, SelectDB: c.cfg.DB,
		ClientName: "feedrank", DisableCache: c.cfg.DisableCache, TLSConfig: tlsConfig,
		ForceSingleClient: len(c.cfg.Addrs) == 1,
		Dialer:            net.Dialer{Timeout: c.cfg.DialTimeout}, ConnWriteTimeout: c.cfg.WriteTimeout,
		DisableRetry: true, // a cache that is slow is asked again by the next request, not by this one
	})
}
