//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
)

// query answers one query packet. An exception is part of the answer; any other error ends the connection.
func (c *conn) query() error {
	q, err := readQuery(c.in)
	if err != nil {
		return fmt.Errorf("query: %w", noEOF(err))
	}
	c.compressed = q.compressed
	c.method = compressionMethod(&q)
	// Tables may be sent along; an empty block says that there are no more.
	for more := true; more; {
		code, err := c.packet()
		if err != nil {
			return noEOF(err)
		}
		if code != clientData {
			return malformedf("packet %d instead of the end of external tables", code)
		}
		if more, err = c.receiveBlock(); err != nil {
			return err
		}
		if more {
			return malformedf("data came before it was asked for")
		}
	}
	if !c.server.setBusy(c, true) {
		return errors.New("the server is stopping")
	}
	err = c.run(q)
	goOn := c.server.setBusy(c, false)

	var e *exception
	if errors.As(err, &e) {
		if c.session != nil {
			c.session.settle()
		}
		c.putException(e)
		err = nil
	}
	if flushErr := c.flush(); err == nil {
		err = flushErr
	}
	if err == nil && !goOn {
		err = errors.New("the server is stopping")
	}
	return err
}

// compressionMethod takes the settings that are about the connection, not the engine, out of the query.
func compressionMethod(q *query) compress.Method {
	method := compress.LZ4
	kept := q.settings[:0]
	for _, s := range q.settings {
		switch s.name {
		case "network_compression_method":
			switch strings.ToUpper(s.value) {
			case "ZSTD":
				method = compress.ZSTD
			case "NONE":
				method = compress.None
			}
		case "network_zstd_compression_level":
		default:
			kept = append(kept, s)
		}
	}
	q.settings = kept
	return method
}

// run runs a query and puts its answer into c.out, all but the last of it sent.
func (c *conn) run(q query) error {
	st, err := parseStatement(q.body)
	if err != nil {
		return err
	}
	r := c.server.begin(c, q.id)
	defer r.end()
	if err := c.runTagged(r, q, st); err != nil {
		var e *exception
		if errors.As(err, &e) {
			return &exception{code: e.code, message: r.untagged(e.message)}
		}
		return err
	}
	return nil
}

func (c *conn) runTagged(r *running, q query, st statement) error {
	if err := c.prepare(q.settings); err != nil {
		return err
	}
	switch st.kind {
	case statementInsert:
		return c.insert(r, st, q.params)
	case statementSelect:
		return c.selectRows(r, st, q.params)
	default:
		return c.execute(r, st, q.params)
	}
}

// prepare readies the client's session: opened with its first query, its database current, the query's settings in force.
func (c *conn) prepare(settings []setting) error {
	if c.session == nil {
		s, err := c.server.engine.connect()
		if err != nil {
			return exceptionf(codeUnknownException, "open a session: %v", err)
		}
		if err := s.use(c.database); err != nil {
			s.close()
			return err
		}
		c.session = s
	}
	err := c.session.apply(settings)
	if errors.Is(err, errSpoilt) {
		fresh, err := c.replaceSession()
		if err != nil {
			return err
		}
		return fresh.apply(settings)
	}
	return err
}

// replaceSession opens a session with the database and the settings of the one it replaces.
func (c *conn) replaceSession() (*session, error) {
	old := c.session
	c.session = nil
	old.close()
	fresh, err := c.server.engine.connect()
	if err != nil {
		return nil, exceptionf(codeUnknownException, "open a session: %v", err)
	}
	c.session = fresh
	if err := fresh.use(old.database); err != nil {
		return nil, err
	}
	own := make([]setting, 0, len(old.base))
	for name, value := range old.base {
		own = append(own, setting{name: name, value: value})
	}
	if err := fresh.apply(own); err != nil {
		return nil, err
	}
	fresh.base, fresh.set = old.base, map[string]string{}
	return fresh, nil
}

// execute runs a statement that is not a SELECT, and returns what it says.
func (c *conn) execute(r *running, st statement, params []parameter) error {
	stop := r.watch()
	res, err := c.executeWatched(r, st, params)
	stop()
	if err != nil {
		return c.cancelled(r, err)
	}
	defer res.free()
	var p progress
	p.add(res)
	columns := 0
	if len(res.bytes()) > 0 {
		if columns, err = c.forward(st, params, res, &p, true); err != nil {
			return err
		}
	}
	return c.finish(p, columns > 0)
}

func (c *conn) executeWatched(r *running, st statement, params []parameter) (*result, error) {
	if st.kind != statementKill && !st.observes {
		release, err := r.acquire()
		if err != nil {
			return nil, err
		}
		defer release()
	}
	s := c.session
	switch st.kind {
	case statementOther:
		// Whether it fails or not: a part of it may have happened.
		defer s.engine.schema.Add(1)
		s.private = s.private || st.temporary
	case statementSet:
		// The client changes its session, so the settings of the query before must not be in the way.
		if err := s.apply(nil); err != nil && !errors.Is(err, errSpoilt) {
			return nil, err
		}
	case statementSelect, statementRead, statementInsert, statementWrite, statementUse, statementKill:
	}
	res, err := s.exec(r.tagged(st), "Native", params)
	if err != nil {
		return nil, err
	}
	switch st.kind {
	case statementSet:
		err = s.learn()
	case statementUse:
		var name string
		if name, err = s.text("SELECT currentDatabase() FORMAT TSVRaw"); err == nil {
			s.database = strings.TrimSuffix(name, "\n")
		}
	case statementKill:
		err = c.server.abortKilled()
	case statementOther, statementSelect, statementRead, statementInsert, statementWrite:
	}
	if err != nil {
		res.free()
		return nil, err
	}
	return res, nil
}

// cancelled says how a query ends that failed after its client cancelled it or went away.
func (c *conn) cancelled(r *running, err error) error {
	select {
	case <-r.gone:
	default:
		return err
	}
	if c.session != nil {
		c.session.settle()
	}
	if b, peekErr := c.in.Peek(1); peekErr != nil || b[0] != clientCancel {
		return errGone
	}
	// A client that cancels expects the stream to end.
	c.out = append(c.out[:0], serverEndOfStream)
	return nil
}

// progress is how much a query has read, written and returned so far.
type progress struct {
	readRows, readBytes       uint64
	writtenRows, writtenBytes uint64
	rows, blocks, bytes       uint64
}

func (p *progress) add(res *result) {
	rows, bytes := res.read()
	p.readRows, p.readBytes = p.readRows+rows, p.readBytes+bytes
	rows, bytes = res.written()
	p.writtenRows, p.writtenBytes = p.writtenRows+rows, p.writtenBytes+bytes
}

// take appends the progress packet for what was not reported before.
func (p *progress) take(b []byte) []byte {
	if p.readRows|p.readBytes|p.writtenRows|p.writtenBytes == 0 {
		return b
	}
	b = append(b, serverProgress)
	for _, v := range [...]uint64{p.readRows, p.readBytes, 0, p.writtenRows, p.writtenBytes, 0} {
		b = binary.AppendUvarint(b, v)
	}
	p.readRows, p.readBytes, p.writtenRows, p.writtenBytes = 0, 0, 0, 0
	return b
}

// finish ends the answer: totals of the result, if there was one, what was left to report, end.
func (c *conn) finish(p progress, result bool) error {
	if result {
		c.out = append(c.out, serverProfile)
		for _, v := range [...]uint64{p.rows, p.blocks, p.bytes, 0, 0, 0} { // no limit is told
			c.out = binary.AppendUvarint(c.out, v)
		}
	}
	c.out = p.take(c.out)
	c.out = append(c.out, serverEndOfStream)
	return nil
}
