package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/chpool"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Client is a pool of connections. It dials when it is first used, so that a program can start
// while ClickHouse is away. It is safe for concurrent use.
type Client struct {
	cfg     Config
	latency *prometheus.HistogramVec
	errors  *prometheus.CounterVec

	mu     sync.Mutex
	pool   *chpool.Pool
	closed bool
}

// ErrClosed is the answer of a client after Close.
var ErrClosed = errors.New("the client is closed")

// New makes a client without dialling.
func New(cfg Config, reg prometheus.Registerer) *Client {
	c := &Client{
		cfg: cfg,
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "feedrank_clickhouse_query_seconds", Help: "Time of a ClickHouse query by its name.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"query"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_clickhouse_errors_total",
			Help: "ClickHouse queries that failed, by name and kind (server, timeout, connection).",
		}, []string{"query", "kind"}),
	}
	reg.MustRegister(c.latency, c.errors)
	return c
}

// Database is the database that holds our tables.
func (c *Client) Database() string { return c.cfg.Database }

// Query is one statement with a name for metrics and logs.
type Query struct {
	Name     string // a constant, such as "followees"
	ch.Query        // settings here go over the pinned ones
}

// Read runs a statement that may be repeated. While connections turn out dead before anything came back
// it takes the next, at last one that is dialled for it: the pool does not check idle connections, and
// after a restart of the server all of them are dead.
func (c *Client) Read(ctx context.Context, q Query) error {
	received := false
	if q.OnResult != nil {
		inner := q.OnResult
		q.OnResult = func(ctx context.Context, block proto.Block) error {
			received = received || block.Rows > 0
			return inner(ctx, block)
		}
	}
	for {
		var dialled atomic.Bool
		err := c.do(context.WithValue(ctx, dialledKey{}, &dialled), q, withPinned(q.Settings))
		if err == nil || received || dialled.Load() || ctx.Err() != nil || errors.Is(err, ErrClosed) ||
			!IsConnectionError(err) {
			return err
		}
		if reset, ok := q.Result.(proto.Resettable); ok {
			reset.Reset()
		}
	}
}

// dialledKey is under which a call's context has the flag that a connection was dialled for it.
type dialledKey struct{}

// Write runs a statement exactly once. An error other than a refusal by the server (AsException)
// leaves it unknown whether it was carried out.
func (c *Client) Write(ctx context.Context, q Query) error {
	return c.do(ctx, q, withPinned(q.Settings))
}

// Ping asks whether ClickHouse answers.
func (c *Client) Ping(ctx context.Context) error {
	var one proto.ColUInt8
	return c.Read(ctx, Query{Name: "ping", Query: ch.Query{
		Body: "SELECT 1 AS one", Result: proto.Results{{Name: "one", Data: &one}},
	}})
}

// Close closes every connection, for good: whoever comes late gets ErrClosed, not a new pool.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.pool != nil {
		c.pool.Close()
		c.pool = nil
	}
}

func (c *Client) do(ctx context.Context, q Query, settings []ch.Setting) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.QueryTimeout)
	defer cancel()
	pool, err := c.connected(ctx)
	if err != nil {
		c.errors.WithLabelValues(q.Name, "connection").Inc()
		return fmt.Errorf("clickhouse %s: %w", q.Name, err)
	}
	q.Settings = settings
	watch := core.StartStopwatch()
	ctx, span := tracing.Call(ctx, "clickhouse", q.Name) // the library gives it to the server
	err = pool.Do(ctx, q.Query)
	span.End(err)
	tracing.Observe(ctx, c.latency.WithLabelValues(q.Name), watch.Elapsed().Seconds())
	if err != nil {
		c.errors.WithLabelValues(q.Name, kindOf(err)).Inc()
		return fmt.Errorf("clickhouse %s: %w", q.Name, err)
	}
	return nil
}

func (c *Client) connected(ctx context.Context) (*chpool.Pool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.pool != nil {
		return c.pool, nil
	}
	tlsConfig, err := c.cfg.TLS.Client()
	if err != nil {
		return nil, fmt.Errorf("clickhouse.%w", err)
	}
	pool, err := chpool.New(ctx, chpool.Options{
		MaxConns: int32(c.cfg.MaxConns), // validated: at most 1000
		ClientOptions: ch.Options{
			ClientName: "feedrank", Database: c.cfg.Database, User: c.cfg.User, Password: c.cfg.Password,
			Compression: ch.CompressionLZ4, Address: strings.Join(c.cfg.Addrs, ","),
			Dialer: firstOf{
				addrs: c.cfg.Addrs, dialer: net.Dialer{Timeout: c.cfg.DialTimeout}, tls: tlsConfig,
				longest: c.cfg.QueryTimeout,
			},
			DialTimeout:      c.cfg.DialTimeout * time.Duration(len(c.cfg.Addrs)),
			HandshakeTimeout: c.cfg.DialTimeout, ReadTimeout: min(look, c.cfg.QueryTimeout),
		},
	})
	if err != nil {
		return nil, err
	}
	c.pool = pool
	return pool, nil
}

// firstOf dials the first address that answers, with TLS if it is to be: ch-go itself would take nothing
// but a dialer of its own for that.
type firstOf struct {
	addrs  []string
	dialer net.Dialer
	tls    *tls.Config // nil: in the clear

	longest time.Duration // that a query may take
}

// DialContext ignores the address given: the client knows one only, we may have several.
func (f firstOf) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	if dialled, ok := ctx.Value(dialledKey{}).(*atomic.Bool); ok {
		dialled.Store(true)
	}
	var failures []error
	for _, addr := range f.addrs {
		conn, err := f.dial(ctx, network, addr)
		if err == nil {
			return &bounded{Conn: conn, longest: f.longest}, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

func (f firstOf) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if f.tls == nil {
		return f.dialer.DialContext(ctx, network, addr)
	}
	ctx, cancel := context.WithTimeout(ctx, f.dialer.Timeout) // of the handshake too
	defer cancel()
	secure := tls.Dialer{NetDialer: &f.dialer, Config: f.tls}
	return secure.DialContext(ctx, network, addr)
}
