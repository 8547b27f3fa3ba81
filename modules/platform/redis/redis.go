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

// dialWait is how long whoever begins an attempt waits for it: a server that hangs holds it up for the
// whole of the dial and the write timeout.
const dialWait = 100 * time.Millisecond

// Client connects when it is first used and goes on trying, because rueidis itself refuses to be
// made while the server is away. It is safe for concurrent use.
type Client struct {
	cfg   Config
	dials sync.WaitGroup

	mu      sync.Mutex
	inner   rueidis.Client
	dialing bool
	failed  time.Time
	reason  error // of the last failure
	closed  bool
}

// New makes a client without dialling.
func New(cfg Config) *Client { return &Client{cfg: cfg} }

// Conn is the library's client, or why there is none. It never waits for a dial of somebody else, and
// not long for its own.
func (c *Client) Conn() (rueidis.Client, error) {
	dialed := c.begin()
	if dialed != nil {
		timer := time.NewTimer(dialWait)
		defer timer.Stop()
		select {
		case <-dialed:
		case <-timer.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inner != nil:
		return c.inner, nil
	case dialed != nil && c.reason != nil:
		return nil, fmt.Errorf("redis connect: %w", c.reason)
	default:
		return nil, ErrDown
	}
}

// begin starts an attempt to connect if it is time for one; the channel is closed when it has ended.
func (c *Client) begin() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner != nil || c.closed || c.dialing || time.Since(c.failed) < redialAfter {
		return nil
	}
	c.dialing, c.reason = true, nil
	dialed := make(chan struct{})
	c.dials.Go(func() {
		defer close(dialed)
		inner, err := c.dial()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dialing = false
		switch {
		case err != nil:
			c.failed, c.reason = time.Now(), err
		case c.closed:
			inner.Close()
		default:
			c.inner = inner
		}
	})
	return dialed
}

// Ping asks whether Redis answers.
func (c *Client) Ping(ctx context.Context) error {
	conn, err := c.Conn()
	if err != nil {
		return err
	}
	return conn.Do(ctx, conn.B().Ping().Build()).Error()
}

// Close closes the connections, and waits for an attempt to make one.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	if c.inner != nil {
		c.inner.Close()
		c.inner = nil
	}
	c.mu.Unlock()
	c.dials.Wait()
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
