//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ClickHouse/ch-go/compress"
)

const (
	helloTimeout = 10 * time.Second // for a client to say who it is
	writeTimeout = 5 * time.Minute  // for a client to take what it asked for
	inputBuffer  = 64 << 10         // bytes
	flushAt      = 256 << 10        // bytes of answer that are sent at once
)

// conn is one client. All of it belongs to the goroutine that serves it, except what is said to be the server's.
type conn struct {
	server *server
	nc     net.Conn
	busy   bool // the server's

	in         *bufio.Reader
	frames     *frameReader  // once a query compresses
	data       *bufio.Reader // what is in the frames
	out        []byte
	compressor map[compress.Method]*compress.Writer

	incoming, outgoing reframer
	compressed         bool // whether the query's blocks are
	method             compress.Method

	database string
	session  *session
	// pending says that a query packet was begun where blocks were expected.
	pending bool
}

func newConn(s *server, nc net.Conn) *conn {
	return &conn{server: s, nc: nc, in: bufio.NewReaderSize(nc, inputBuffer), compressor: map[compress.Method]*compress.Writer{}}
}

func (c *conn) close() {
	_ = c.nc.Close()
	if c.frames != nil {
		c.frames.close()
	}
	if c.session != nil {
		c.session.close()
	}
}

// serve answers the client until it leaves, or sends what cannot be understood.
func (c *conn) serve() error {
	if err := c.handshake(); err != nil {
		return err
	}
	for {
		code, err := c.packet()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch code {
		case clientPing:
			c.out = append(c.out, serverPong)
			err = c.flush()
		case clientCancel:
			// It crossed the end of the query it was meant for.
		case clientData:
			// What was under way when an insert failed.
			_, err = c.receiveBlock()
		case clientQuery:
			err = c.query()
		default:
			err = malformedf("packet %d", code)
		}
		if err != nil {
			return c.explain(err)
		}
		c.release()
	}
}

func (c *conn) packet() (uint64, error) {
	if c.pending {
		c.pending = false
		return clientQuery, nil
	}
	return readUvarint(c.in)
}

// explain tells the client why it is about to be disconnected, if it can still be told.
func (c *conn) explain(err error) error {
	if errors.Is(err, errMalformed) {
		c.refuse(exceptionf(codeUnexpectedPacket, "%v", err))
	}
	return err
}

func (c *conn) refuse(e *exception) {
	c.out = c.out[:0]
	c.putException(e)
	_ = c.flush()
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// release gives back the memory of an unusually large query.
func (c *conn) release() {
	for _, b := range []*[]byte{&c.out, &c.incoming.out, &c.outgoing.out} {
		if cap(*b) > keepBuffer {
			*b = nil
		}
	}
	if c.frames != nil {
		c.frames.release()
	}
}

func (c *conn) putException(e *exception) {
	const name = "DB::Exception"
	c.out = append(c.out, serverException)
	c.out = binary.LittleEndian.AppendUint32(c.out, uint32(int32(e.code))) //nolint:gosec // codes are small
	c.out = appendString(c.out, name)
	c.out = appendString(c.out, exceptionPrefix+e.message)
	c.out = appendString(c.out, "") // stack trace
	c.out = append(c.out, 0)        // no exception inside
}

// receiveBlock reads a block of the client into c.incoming, in the engine's format; false means an empty one, which ends the
// data.
func (c *conn) receiveBlock() (bool, error) {
	r := &c.incoming
	r.in, r.out = c.in, r.out[:0]
	table, err := readString(c.in, maxName)
	if err != nil {
		return false, fmt.Errorf("table of a block: %w", noEOF(err))
	}
	if c.compressed {
		if c.frames == nil {
			c.frames = &frameReader{src: c.in}
			c.data = bufio.NewReaderSize(c.frames, inputBuffer)
		}
		r.in = c.data
	}
	if err := r.block(nativeWire, nativeFormat); err != nil {
		return false, fmt.Errorf("block: %w", noEOF(err))
	}
	if c.compressed && c.data.Buffered()+c.frames.leftover() > 0 {
		return false, malformedf("a frame holds more than its block")
	}
	if table != "" && len(r.columns) > 0 {
		return false, malformedf("external tables are not supported by the embedded server")
	}
	return len(r.columns) > 0, nil
}

// putBlock adds a block in the wire's framing to the answer.
func (c *conn) putBlock(block []byte) error {
	c.out = append(c.out, serverData)
	c.out = appendString(c.out, "")
	if !c.compressed {
		c.out = append(c.out, block...)
		return nil
	}
	w := c.compressor[c.method]
	if w == nil {
		w = compress.NewWriter(compress.LevelZero, c.method)
		c.compressor[c.method] = w
	}
	if err := w.Compress(block); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	c.out = append(c.out, w.Data...)
	return nil
}

// putHeader adds a block without rows, which tells the names and types.
func (c *conn) putHeader(columns []column) error {
	block := appendBlockInfo(c.outgoing.out[:0])
	block = binary.AppendUvarint(block, uint64(len(columns)))
	block = binary.AppendUvarint(block, 0)
	for i, col := range columns {
		block = appendString(block, col.name)
		if i < len(c.outgoing.typeNames) {
			block = appendString(block, c.outgoing.typeNames[i])
		} else {
			block = appendString(block, col.typeName)
		}
		block = append(block, 0)
	}
	c.outgoing.out = block[:0]
	return c.putBlock(block)
}
