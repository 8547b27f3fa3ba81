package clickhouse

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// bounded is a connection on which no answer outlasts the deadline of its query. ch-go sets a deadline
// before it reads the first byte of a packet and takes it away after: a server that stops in the middle
// of a block, or trickles, then holds the caller up for as long as it likes. Here the deadline stays
// until the next one is set.
type bounded struct {
	net.Conn
	within atomic.Bool // a packet
}

// SetReadDeadline keeps the deadline that is to be taken away.
func (c *bounded) SetReadDeadline(t time.Time) error {
	c.within.Store(t.IsZero())
	if t.IsZero() {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// Read closes a connection whose deadline passed within a packet: nobody knows where the next begins.
func (c *bounded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.within.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return n, errors.Join(err, c.Close())
	}
	return n, err
}
