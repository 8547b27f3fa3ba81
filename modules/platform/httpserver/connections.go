package httpserver

import (
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// door counts the connections that are open, and closes those that are too many at once: a client that
// opens thousands and says nothing must not keep others out.
type door struct {
	most, mostOfOne int
	free            []netip.Prefix // addresses that many clients share, or that are our own
	turnedAway      *prometheus.CounterVec

	mu   sync.Mutex
	open int
	of   map[netip.Addr]int
}

func newDoor(cfg Config, reg prometheus.Registerer) *door {
	d := &door{
		most: cfg.MaxConnections, mostOfOne: cfg.MaxPerAddress, of: map[netip.Addr]int{},
		free: append(networks(cfg.TrustedProxies), networks(cfg.Unlimited)...),
		turnedAway: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_http_connections_refused_total", Help: "Connections that were closed at once, by the limit that they were over: all or address.",
		}, []string{"limit"}),
	}
	reg.MustRegister(d.turnedAway, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_http_connections", Help: "Open connections.",
	}, func() float64 {
		d.mu.Lock()
		defer d.mu.Unlock()
		return float64(d.open)
	}))
	return d
}

// enter tells whether a connection may stay; leave must follow if it may.
func (d *door) enter(addr netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.open >= d.most:
		d.turnedAway.WithLabelValues("all").Inc()
		return false
	case d.of[addr] >= d.mostOfOne && !within(addr, d.free):
		d.turnedAway.WithLabelValues("address").Inc()
		return false
	}
	d.open++
	d.of[addr]++
	return true
}

func (d *door) leave(addr netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	if d.of[addr]--; d.of[addr] == 0 {
		delete(d.of, addr)
	}
}

// guarded is a listener behind a door.
type guarded struct {
	net.Listener
	door *door
}

// Accept waits for a connection that may stay.
func (g guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := addrOf(conn)
		if g.door.enter(addr) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { g.door.leave(addr) })}, nil
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

// counted is a connection that says when it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
