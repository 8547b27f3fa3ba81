package clickhouse

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// look is how often ch-go looks whether a query was cancelled while it waits for a packet: its read timeout, which only
// has it wait again. Without it a cancelled query holds its caller until its deadline.
const look = time.Second

// bounded is a connection on which no answer outlasts the deadline of its query. ch-go sets a deadline
// before it reads the first byte of a packet and takes it away after: a server that stops in the middle
// of a block, or trickles, then holds the caller up for as long as it likes. Here the deadline stays
// until the next one is set; one that was there for a look becomes the longest that a query may take.
type bounded struct {
	net.Conn
	longest time.Duration
	within  atomic.Bool // a packet
	looks   atomic.Bool // the deadline is that of a look
}

// SetReadDeadline keeps the deadline that is to be taken away.
func (c *bounded) SetReadDeadline(t time.Time) error {
	c.within.Store(t.IsZero())
	if !t.IsZero() {
		c.looks.Store(core.Left(t) > look-look/50)
		return c.Conn.SetReadDeadline(t)
	}
	if c.looks.Load() {
		return c.Conn.SetReadDeadline(core.Deadline(c.longest))
	}
	return nil
}

// Read closes a connection whose deadline passed within a packet: nobody knows where the next begins.
func (c *bounded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.within.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return n, errors.Join(err, c.Close())
	}
	return n, err
}
