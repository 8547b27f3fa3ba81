//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"runtime"
	"unsafe"
)

// session is one connection to the engine: settings, current database, temporary tables. It runs one statement at a time
// and is not safe for concurrent use.
type session struct {
	engine *engine
	lib    *libchdb
	handle unsafe.Pointer

	database string
	base     map[string]string // what the session's settings are without those of one query
	set      map[string]string // the settings of a query that are in force now
	private  bool              // has temporary tables, so a name may mean another thing than elsewhere
	lingers  bool              // the last statement failed and is still listed in system.processes
}

// conn is the C connection; the handle points to it.
func (s *session) conn() unsafe.Pointer { return *(*unsafe.Pointer)(s.handle) }

func (s *session) close() {
	if s.handle != nil {
		s.lib.closeConn(s.handle)
		s.handle = nil
	}
}

// exec runs a statement whose result is small or nothing, and returns the result in the given format.
func (s *session) exec(sql, format string, params []parameter) (*result, error) {
	p := newCParams(params)
	r := &result{lib: s.lib, ptr: s.lib.query(s.conn(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)), p.names, p.nameLens, p.values, p.valueLens, p.count)}
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	if err := r.err(); err != nil {
		s.lingers = true
		r.free()
		return nil, err
	}
	return r, nil
}

// text runs a statement and returns its rows as tab-separated text.
func (s *session) text(sql string) (string, error) {
	r, err := s.exec(sql, "TSV", nil)
	if err != nil {
		return "", err
	}
	defer r.free()
	return string(r.bytes()), nil
}

// rows is a SELECT in progress, read a block at a time.
type rows struct {
	session *session
	ptr     unsafe.Pointer
	ended   bool
}

// query starts a SELECT; no more of its result is held in memory than a few blocks.
func (s *session) query(sql string, params []parameter) (*rows, error) {
	const format = "Native"
	p := newCParams(params)
	ptr := s.lib.streamQuery(s.conn(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)), p.names, p.nameLens, p.values, p.valueLens, p.count)
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	if text := s.lib.resultError(ptr); text != "" {
		s.lingers = true
		s.lib.resultFree(ptr)
		return nil, parseException(text)
	}
	return &rows{session: s, ptr: ptr}, nil
}

// next returns the next piece of the result, made of whole blocks, or nil at its end.
func (r *rows) next() (*result, error) {
	chunk := &result{lib: r.session.lib, ptr: r.session.lib.streamFetch(r.session.conn(), r.ptr)}
	if err := chunk.err(); err != nil {
		r.ended, r.session.lingers = true, true
		chunk.free()
		return nil, err
	}
	if chunk.ptr == nil || len(chunk.bytes()) == 0 {
		r.ended = true
	}
	return chunk, nil
}

// close ends the SELECT, cancelling what is left of it.
func (r *rows) close() {
	if !r.ended {
		r.session.lib.streamStop(r.session.conn(), r.ptr)
	}
	r.session.lib.resultFree(r.ptr)
}

// inserter is an INSERT in progress, fed blocks in the Native format.
type inserter struct {
	session *session
	ptr     unsafe.Pointer
	ended   bool
}

// insert starts an INSERT; sql names the table and columns and ends there.
func (s *session) insert(sql string, params []parameter) (*inserter, error) {
	const format = "Native"
	p := newCParams(params)
	ptr := s.lib.insert(s.conn(), cBytes(sql), uintptr(len(sql)), cBytes(format), uintptr(len(format)), p.names, p.nameLens, p.values, p.valueLens, p.count)
	runtime.KeepAlive(p)
	runtime.KeepAlive(sql)
	if text := s.lib.insertError(ptr); text != "" {
		s.lingers = true
		s.lib.insertFree(ptr)
		return nil, parseException(text)
	}
	return &inserter{session: s, ptr: ptr}, nil
}

// append hands one block to the engine, which copies it. It waits while the engine is busy. False means that the insert has
// failed; finish tells why.
func (i *inserter) append(block []byte) bool {
	return len(block) == 0 || i.session.lib.insertAppend(i.ptr, unsafe.Pointer(&block[0]), uintptr(len(block))) == 0 //nolint:gosec // a C pointer
}

// finish waits until everything is written, and returns how much.
func (i *inserter) finish() (writtenRows, writtenBytes uint64, err error) {
	i.ended = true
	r := &result{lib: i.session.lib, ptr: i.session.lib.insertDone(i.ptr)}
	defer r.free()
	if err := r.err(); err != nil {
		i.session.lingers = true
		return 0, 0, err
	}
	writtenRows, writtenBytes = r.written()
	return writtenRows, writtenBytes, nil
}

// close releases the insert; one that was not finished is cancelled, and nothing of it that is not yet a part stays.
func (i *inserter) close() {
	if !i.ended {
		i.session.lib.insertCancel(i.ptr)
		i.session.lingers = true
	}
	i.session.lib.insertFree(i.ptr)
}
