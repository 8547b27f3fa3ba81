// Package clientip finds out who calls: the peer of a connection, or whom a trusted proxy names. It also says
// what counts as one client.
package clientip

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Subscriber is what every limit by address counts as one client: an IPv4 address, or the /64 of an IPv6
// address, since each subscriber has 2^64 of those.
func Subscriber(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() || !addr.IsValid() {
		return addr
	}
	b := addr.As16()
	clear(b[8:])
	return netip.AddrFrom16(b)
}

// Resolver finds out who calls: the peer, or whom a trusted proxy names. Only the last address that no
// trusted proxy has added is believed.
type Resolver struct {
	trusted    []netip.Prefix
	unreadable *prometheus.CounterVec
	log        *zap.Logger
	said       map[string]*sync.Once // by what is wrong
}

// maxProxies bounds, in bytes, how much of the list is read, from its end: the rest is what clients make up.
const maxProxies = 2048

// What is wrong with a header of a proxy.
const (
	reasonUnreadable = "unreadable" // an entry is no address
	reasonTwoHeaders = "differ"     // X-Forwarded-For and Forwarded name two clients
)

// NewResolver believes the proxies of these networks.
func NewResolver(trusted []netip.Prefix, reg prometheus.Registerer, log *zap.Logger) *Resolver {
	c := &Resolver{
		trusted: trusted, log: log, said: map[string]*sync.Once{reasonUnreadable: {}, reasonTwoHeaders: {}},
		unreadable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_http_forwarded_unusable_total",
			Help: "Requests whose X-Forwarded-For or Forwarded from a trusted proxy could not be used, by reason: " +
				"unreadable (no address; counted for the proxy's own) or differ (the two name different clients; X-Forwarded-For was believed).",
		}, []string{"reason"}),
	}
	reg.MustRegister(c.unreadable)
	return c
}

// Of is the address of who calls; it is not valid only where there is none, as in some tests.
func (c *Resolver) Of(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr().Unmap()
	if err != nil || !Within(addr, c.trusted) {
		return addr
	}
	lists, standard := r.Header[echo.HeaderXForwardedFor], r.Header["Forwarded"]
	if len(lists) == 0 && len(standard) == 0 {
		return addr // the proxy itself calls
	}
	if len(lists) == 0 {
		return c.last(addr, standard, splitForwarded)
	}
	client := c.last(addr, lists, splitList)
	if len(standard) > 0 && c.last(addr, standard, splitForwarded) != client {
		c.complain(reasonTwoHeaders,
			"a trusted proxy sends X-Forwarded-For and Forwarded that name different clients; X-Forwarded-For is believed: "+
				"have your proxies remove what clients send of the other", standard[len(standard)-1])
	}
	return client
}

// last is the last address that no trusted proxy has added, seen from the peer.
func (c *Resolver) last(peer netip.Addr, headers []string, split func(string) []string) netip.Addr {
	client := peer
	for i := len(headers) - 1; i >= 0; i-- {
		entries := split(headers[i][max(0, len(headers[i])-maxProxies):])
		for j := len(entries) - 1; j >= 0; j-- {
			addr, ok := readNode(entries[j])
			if !ok {
				c.complain(reasonUnreadable,
					"a trusted proxy names a client in a way that cannot be read; it is counted for the proxy's own address", entries[j])
				return client
			}
			if client = addr; !Within(addr, c.trusted) {
				return client
			}
		}
	}
	return client
}

// complain counts each time, and says so once.
func (c *Resolver) complain(reason, message, text string) {
	c.unreadable.WithLabelValues(reason).Inc()
	c.said[reason].Do(func() {
		c.log.Warn(message, zap.String("entry", text[:min(len(text), 128)]),
			zap.String("counted_in", "feedrank_http_forwarded_unusable_total"))
	})
}

// splitList takes X-Forwarded-For apart.
func splitList(header string) []string { return strings.Split(header, ",") }

// splitForwarded takes the node of each element of Forwarded (RFC 7239) out; an element without one is "".
func splitForwarded(header string) (nodes []string) {
	for _, element := range splitQuoted(header, ',') {
		node := ""
		for _, pair := range splitQuoted(element, ';') {
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
				node = strings.Trim(value, `"`)
			}
		}
		nodes = append(nodes, node)
	}
	return nodes
}

// splitQuoted splits at a separator that is in no quotes.
func splitQuoted(s string, separator byte) (parts []string) {
	quoted, from := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts, from = append(parts, s[from:i]), i+1
		}
	}
	return append(parts, s[from:])
}

// readNode reads an address, with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1],
// [2001:db8::1]:80.
func readNode(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return addr.Unmap(), true
	}
	if host, port, ok := cutPort(s); ok && port != "" {
		if addr, err := netip.ParseAddr(host); err == nil {
			return addr.Unmap(), true
		}
	}
	return netip.Addr{}, false
}

// cutPort takes off what stands behind the address, which RFC 7239 lets be a number or an obfuscated name.
func cutPort(s string) (host, port string, ok bool) {
	if rest, bracketed := strings.CutPrefix(s, "["); bracketed {
		return strings.Cut(rest, "]:")
	}
	return strings.Cut(s, ":")
}
