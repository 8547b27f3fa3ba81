// Package redis is the client of Redis. It is a cache: every caller can go on without it.
package redis

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// Config says where Redis is.
type Config struct {
	Addrs            []string         `koanf:"addrs" validate:"min=1,dive,hostname_port"`                    // of the server, of some nodes of a cluster (one is enough), or of the sentinels
	Mode             Mode             `koanf:"mode" validate:"omitempty,oneof=auto single cluster sentinel"` // what stands at addrs; auto asks there
	User             string           `koanf:"user"`
	Password         string           `koanf:"password" secret:"true"`
	DB               int              `koanf:"db" validate:"gte=0,lte=15"` // a cluster has 0 alone
	SentinelMaster   string           `koanf:"sentinel_master"`            // the name of the master that the sentinels watch
	SentinelUser     string           `koanf:"sentinel_user"`              // for the sentinels themselves
	SentinelPassword string           `koanf:"sentinel_password" secret:"true"`
	DialTimeout      time.Duration    `koanf:"dial_timeout" validate:"gte=10ms,lte=1m"`
	WriteTimeout     time.Duration    `koanf:"write_timeout" validate:"gte=10ms,lte=1m"`
	DisableCache     bool             `koanf:"disable_cache"` // true: no client-side caching, for servers without CLIENT TRACKING (before Redis 6)
	TLS              tlsconfig.Config `koanf:"tls"`
}

// DefaultConfig is a server on this machine.
func DefaultConfig() Config {
	return Config{
		Addrs: []string{"127.0.0.1:6379"}, Mode: Auto, DialTimeout: 500 * time.Millisecond, WriteTimeout: time.Second,
		DisableCache: true,
	}
}

// ErrDown is returned while there is no connection and the last attempt to make one was too recent.
var ErrDown = errors.New("redis is not connected")

// ErrReadOnly is returned while Redis takes no writes: it is full, a replica, or short of replicas. What it has
// may be read, but is out of date as soon as a viewer changes something; so it counts as away.
var ErrReadOnly = errors.New("redis takes no writes")

// redialAfter spaces the attempts to connect, so that a lost Redis costs requests nothing.
const redialAfter = 250 * time.Millisecond

// dialWait is how long whoever begins an attempt waits for it: a server that hangs holds it up for the
// whole of the dial and the write timeout.
const dialWait = 100 * time.Millisecond

// Client connects when it is first used and goes on trying, because rueidis itself refuses to be
// made while the server is away. It is safe for concurrent use.
type Client struct {
	cfg   Config
	clock core.Clock
	dials sync.WaitGroup

	mu      sync.Mutex
	inner   rueidis.Client
	dialing chan struct{} // closed when the attempt that is under way ends; nil: there is none
	failed  time.Time
	reason  error // of the last failure
	closed  bool
	cluster bool  // what stands there is a cluster, whatever was thought
	refused error // why the last write was refused; nil: writes are taken
	taken   int   // writes in a row that were taken since one was refused
	away    bool  // as the watch saw it last
}

// New makes a client without dialling.
func New(cfg Config, clock core.Clock) *Client { return &Client{cfg: cfg, clock: clock} }

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
	case c.refused != nil:
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, c.refused)
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
	if c.inner != nil || c.closed || c.dialing != nil || core.Within(redialAfter, c.failed, c.clock.Now()) {
		return nil
	}
	dialed := make(chan struct{})
	c.dialing, c.reason = dialed, nil
	c.dials.Go(func() {
		defer close(dialed)
		inner, err := c.dial()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dialing = nil
		switch {
		case err != nil:
			c.failed, c.reason = c.clock.Now(), err
		case c.closed:
			inner.Close()
		default:
			c.inner = inner
		}
	})
	return dialed
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
