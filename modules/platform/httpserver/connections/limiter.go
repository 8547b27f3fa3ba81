// Package connections bounds the open connections of a listener, in all and by client.
package connections

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver/clientip"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// operatorConnections are what may be open at http.admin_addr at once.
const operatorConnections = 256

// reservePart is the part of http.max_connections (one in so many) that is kept for http.unlimited: a probe
// of an operator's own network comes through while strangers hold every other.
const reservePart = 20

// Limiter bounds the open connections of one listener, in all and by client. A client that opens
// thousands and says nothing must not keep others out: when it is full, the connection that has been silent
// longest is closed for a new one.
type Limiter struct {
	most, reserve, mostOfOne int
	shared, own              []netip.Prefix // addresses that many clients share, and those of operators
	refused                  *prometheus.CounterVec

	clock core.Clock

	mu     sync.Mutex
	open   int
	of     map[netip.Addr]int
	silent list.List // of *connection: no request is under way there; the longest first
	kept   list.List // the same of operators, which are not closed for a stranger
}

// Config says how many connections users may have.
type Config struct {
	Most      int            // in all
	MostOfOne int            // of one client
	Shared    []netip.Prefix // addresses that many clients share: proxies
	Unlimited []netip.Prefix // of operators
}

// NewLimiters makes those of users and of operators, with their metrics.
func NewLimiters(cfg Config, clock core.Clock, reg prometheus.Registerer) (users, operators *Limiter) {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "feedrank_http_connections_refused_total",
		Help: "Connections that were closed by a limit: all, address, or silent: it made room for a new one.",
	}, []string{"limit"})
	reg.MustRegister(refused)
	users = &Limiter{
		most: cfg.Most, mostOfOne: cfg.MostOfOne, reserve: cfg.Most / reservePart,
		shared: cfg.Shared, own: cfg.Unlimited,
	}
	operators = &Limiter{most: operatorConnections, mostOfOne: operatorConnections}
	for at, l := range map[string]*Limiter{"users": users, "operators": operators} {
		l.of, l.refused, l.clock = map[netip.Addr]int{}, refused, clock
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "feedrank_http_connections", Help: "Open connections, by the address they came to: users, operators.",
			ConstLabels: prometheus.Labels{"at": at},
		}, func() float64 {
			l.mu.Lock()
			defer l.mu.Unlock()
			return float64(l.open)
		}))
	}
	return users, operators
}

// enter tells whether a connection may stay; leave must follow if it may.
func (l *Limiter) enter(c *connection) bool {
	own := clientip.Within(c.addr, l.own)
	if c.among = &l.silent; own {
		c.among = &l.kept
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	most := l.most
	if !own {
		most -= l.reserve
	}
	if l.of[c.client] >= l.mostOfOne && !own && !clientip.Within(c.addr, l.shared) {
		l.refused.WithLabelValues("address").Inc()
		return false
	}
	if l.open >= most && !l.makeRoom() {
		l.refused.WithLabelValues("all").Inc()
		return false
	}
	l.open++
	l.of[c.client]++
	c.inside = true
	l.fallSilent(c)
	return true
}

// fallSilent puts a connection among the silent ones.
func (l *Limiter) fallSilent(c *connection) {
	c.since = l.clock.Now()
	c.at = c.among.PushBack(c)
}

// EndSilent closes connections that have been silent for longer than that, until ctx ends.
//
// It is not left to http.Server.IdleTimeout: over HTTP/2 that has a timer for each connection, which is set anew by the
// streams that end with the connection, and keeps all that they hold until it is over. Who takes streams back as soon
// as they are sent, on connection after connection, took a megabyte for two minutes with each.
func (l *Limiter) EndSilent(ctx context.Context, longest time.Duration) error {
	for worker.Pause(ctx, longest/4) == nil {
		l.endSilent(l.clock.Now().Add(-longest))
	}
	return nil
}

func (l *Limiter) endSilent(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, among := range []*list.List{&l.silent, &l.kept} {
		for front := among.Front(); front != nil; front = among.Front() {
			c, _ := front.Value.(*connection)
			if c.since.After(since) {
				break
			}
			l.hangUp(c)
		}
	}
}

// makeRoom closes the connection that has been silent longest.
func (l *Limiter) makeRoom() bool {
	front := l.silent.Front()
	if front == nil {
		return false
	}
	c, _ := front.Value.(*connection)
	l.hangUp(c)
	l.refused.WithLabelValues("silent").Inc()
	return true
}

// hangUp closes a connection.
func (l *Limiter) hangUp(c *connection) {
	l.remove(c)
	go func() { _ = c.Conn.Close() }() // whatever is wrong with it, it is not wanted; nobody waits for that
}

func (l *Limiter) remove(c *connection) {
	if !c.inside {
		return
	}
	c.inside = false
	l.hear(c)
	l.open--
	if l.of[c.client]--; l.of[c.client] == 0 {
		delete(l.of, c.client)
	}
}

// hear takes a connection out of the silent ones.
func (l *Limiter) hear(c *connection) {
	if c.at != nil {
		c.among.Remove(c.at)
		c.at = nil
	}
}

// Follow is told by the server when a request begins on a connection, and when none is left.
func (l *Limiter) Follow(conn net.Conn, state http.ConnState) {
	if over, ok := conn.(*tls.Conn); ok {
		conn = over.NetConn()
	}
	c, ok := conn.(*connection)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !c.inside:
	case state == http.StateActive:
		l.hear(c)
	case state == http.StateIdle && c.at == nil:
		l.fallSilent(c)
	}
}

// Listen puts the limiter before a listener.
func (l *Limiter) Listen(under net.Listener) net.Listener { return limitedListener{under, l} }

type limitedListener struct {
	net.Listener
	limiter *Limiter
}

// Accept waits for a connection that may stay.
func (g limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := addrOf(conn)
		c := &connection{Conn: conn, limiter: g.limiter, addr: addr, client: clientip.Subscriber(addr)}
		if g.limiter.enter(c) {
			return c, nil
		}
		_ = conn.Close() // whatever is wrong with it, it is not let in
	}
}

func addrOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// connection says when it is closed.
type connection struct {
	net.Conn
	limiter *Limiter
	addr    netip.Addr
	client  netip.Addr
	among   *list.List // the silent ones that it is one of, whenever it is silent

	inside bool          // the fields from here are under the limiter's lock
	at     *list.Element // in that list
	since  time.Time     // it is there
}

func (c *connection) Close() error {
	c.limiter.mu.Lock()
	c.limiter.remove(c)
	c.limiter.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets net/http say that it will not answer more, before it closes.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
