package eventstream

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
)

// writer is where a stream's events go.
type writer interface {
	// write sends all of it within a time, or fails.
	write(p []byte, within time.Duration) error
	// close says that nothing follows.
	close()
}

// connection is that of a stream over HTTP/1, taken over from net/http.
type connection struct {
	net.Conn
	chunked bool // else, of HTTP/1.0, the answer ends with the connection
}

func (c *connection) write(p []byte, within time.Duration) error {
	if c.chunked {
		chunk := make([]byte, 0, len(p)+16)
		chunk = append(strconv.AppendInt(chunk, int64(len(p)), 16), "\r\n"...)
		p = append(append(chunk, p...), "\r\n"...)
	}
	return c.send(p, within)
}

func (c *connection) send(p []byte, within time.Duration) error {
	if err := c.SetWriteDeadline(core.Deadline(within)); err != nil {
		return err
	}
	_, err := c.Write(p)
	return err
}

// lastChunk is what a client has to take of an end; nobody waits long for that.
const lastChunk = 100 * time.Millisecond

func (c *connection) close() {
	if c.chunked {
		_ = c.send([]byte("0\r\n\r\n"), lastChunk) // it may be gone
	}
	_ = c.Close()
}

// waitForHangUp returns when the client is gone, or sends what it has no business to.
func (c *connection) waitForHangUp() {
	var some [1]byte
	_, _ = c.Read(some[:])
}

// takeOver has net/http let go of a connection, and begins the answer on it.
func takeOver(c echo.Context, head http.Header, within time.Duration) (*connection, error) {
	conn, _, err := http.NewResponseController(c.Response().Writer).Hijack()
	if err != nil {
		return nil, fmt.Errorf("take over the connection: %w", err)
	}
	c.Response().Committed, c.Response().Status = true, http.StatusOK
	taken := &connection{Conn: conn, chunked: c.Request().ProtoAtLeast(1, 1)}
	if taken.chunked {
		head.Set("Transfer-Encoding", "chunked")
	}
	head.Set(echo.HeaderConnection, "close")
	var b headBuffer
	b = append(b, "HTTP/1.1 200 OK\r\n"...)
	if err := head.Write(&b); err != nil {
		return taken, err
	}
	return taken, taken.send(append(b, "\r\n"...), within)
}

type headBuffer []byte

func (b *headBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

var _ io.Writer = (*headBuffer)(nil)

// answer is that of a stream over HTTP/2.
type answer struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (a *answer) write(p []byte, within time.Duration) error {
	if err := a.control.SetWriteDeadline(core.Deadline(within)); err != nil {
		return err
	}
	if _, err := a.w.Write(p); err != nil {
		return err
	}
	if err := a.control.Flush(); err != nil {
		return err
	}
	return a.control.SetWriteDeadline(time.Time{})
}

func (a *answer) close() {}
