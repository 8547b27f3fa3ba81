//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// notStreamed is how the engine says that a statement must be run at once.
const notStreamed = "Streaming query is not supported"

// selectRows runs a SELECT and passes its blocks on as they come.
func (c *conn) selectRows(r *running, st statement, params []parameter) error {
	stop := r.watch()
	defer func() { stop() }()
	rows, err := c.start(r, st, params)
	if err != nil {
		if strings.Contains(err.Error(), notStreamed) {
			stop()
			stop = func() {}
			st.kind = statementRead
			return c.execute(r, st, params)
		}
		return c.stopped(r, &stop, err)
	}
	defer rows.close()
	var p progress
	first := true
	for {
		chunk, err := c.fetch(r, st, rows)
		if err != nil {
			return c.stopped(r, &stop, err)
		}
		p.add(chunk)
		if rows.ended {
			chunk.free()
			break
		}
		_, err = c.forward(st, params, chunk, &p, first)
		chunk.free()
		if err != nil {
			return err
		}
		first = false
		if len(c.out) >= flushAt {
			c.out = p.take(c.out)
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	if first {
		c.emptyHeader(st, params)
	}
	return c.finish(p, true)
}

func (c *conn) stopped(r *running, stop *func(), err error) error {
	(*stop)()
	*stop = func() {}
	return c.cancelled(r, err)
}

func (c *conn) start(r *running, st statement, params []parameter) (*rows, error) {
	if !st.observes {
		release, err := r.acquire()
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return c.session.query(r.tagged(st), params)
}

func (c *conn) fetch(r *running, st statement, rows *rows) (*result, error) {
	if !st.observes {
		release, err := r.acquire()
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return rows.next()
}

// forward passes on the blocks of one piece of a result, the first with a header before it, and returns how many there were.
func (c *conn) forward(st statement, params []parameter, res *result, p *progress, first bool) (int, error) {
	f := &c.outgoing
	if f.in == nil {
		f.in = bufio.NewReaderSize(nil, inputBuffer)
	}
	f.in.Reset(bytes.NewReader(res.bytes()))
	if first {
		f.typeNames = nil
	}
	blocks := 0
	for ; ; blocks++ {
		if _, err := f.in.Peek(1); errors.Is(err, io.EOF) {
			return blocks, nil
		}
		f.out = f.out[:0]
		if err := f.block(nativeFormat, nativeWire); err != nil {
			return blocks, asException(err)
		}
		if first {
			first = false
			if c.zones(st, params) {
				// The block has the types as the engine wrote them; write it again with those it means.
				f.in.Reset(bytes.NewReader(res.bytes()))
				f.out = f.out[:0]
				if err := f.block(nativeFormat, nativeWire); err != nil {
					return blocks, asException(err)
				}
			}
			block := f.out
			f.out = nil
			if err := c.putHeader(f.columns); err != nil {
				return blocks, err
			}
			f.out = block
		}
		if err := c.putBlock(f.out); err != nil {
			return blocks, err
		}
		p.rows, p.blocks, p.bytes = p.rows+f.rows, p.blocks+1, p.bytes+uint64(len(f.out))
	}
}

// zones finds the time zones of DateTime columns, which the engine's oldest format leaves out, and says whether there are any.
func (c *conn) zones(st statement, params []parameter) bool {
	f := &c.outgoing
	if st.kind != statementSelect {
		return false
	}
	found := false
	for _, col := range f.columns {
		found = found || col.typeName == "DateTime"
	}
	if !found {
		return false
	}
	columns := c.describeElsewhere(st, params)
	if len(columns) != len(f.columns) {
		return false
	}
	names := make([]string, len(columns))
	changed := false
	for i, col := range columns {
		names[i] = f.columns[i].typeName
		if names[i] == "DateTime" && strings.HasPrefix(col.typeName, "DateTime(") {
			names[i], changed = col.typeName, true
		}
	}
	if changed {
		f.typeNames = names
	}
	return changed
}

// describeElsewhere asks for a SELECT's columns on another session, because the client's is busy with the SELECT itself.
func (c *conn) describeElsewhere(st statement, params []parameter) []column {
	what := "(" + st.sql + "\n)"
	e := c.server.engine
	if columns, ok := e.types.get(describeKey(c.session.database, what, params, false), e.schema.Load()); ok && !c.session.private {
		return columns
	}
	s, err := e.connect()
	if err != nil {
		return nil
	}
	defer s.close()
	if err := s.use(c.session.database); err != nil {
		return nil
	}
	columns, err := s.describe(what, params, false)
	if err != nil {
		return nil // a temporary table, for instance; the type is right but for its zone
	}
	return columns
}

// emptyHeader tells the columns of a SELECT without rows, of which the engine says nothing.
func (c *conn) emptyHeader(st statement, params []parameter) {
	columns, err := c.session.describe("("+st.sql+"\n)", params, false)
	if err != nil {
		c.session.settle()
		return // the client goes without; it has no rows to understand
	}
	c.outgoing.typeNames = nil
	_ = c.putHeader(columns)
}
