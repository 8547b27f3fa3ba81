//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// errGone says that the client closed its connection.
var errGone = errors.New("the client is gone")

// running is a query in progress.
type running struct {
	id     uint64
	tag    string // marks the query's text, so that it can be found among the engine's running ones
	server *server
	conn   *conn

	// gone is closed when the client cancels or vanishes.
	gone chan struct{}

	mu        sync.Mutex
	killed    bool // by a KILL QUERY of another client
	receiving bool // waiting for the client's blocks
}

func (s *server) begin(c *conn, clientID string) *running {
	id := s.lastQuery.Add(1)
	r := &running{id: id, tag: tagText(strconv.FormatUint(id, 10), clientID), server: s, conn: c, gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[r.id] = r
	return r
}

func (r *running) end() {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	delete(r.server.running, r.id)
}

// acquire waits for a slot to call the engine in. The function that it returns gives the slot back.
func (r *running) acquire() (release func(), err error) {
	select {
	case r.server.slots <- struct{}{}:
		return func() { <-r.server.slots }, nil
	case <-r.gone:
		return nil, errGone
	}
}

// tagged is the statement with its tag: at the end, where it disturbs nobody who looks for a statement by its beginning, unless
// the text is so long that the engine cuts it in its list, or ends in rows.
func (r *running) tagged(st statement) string {
	const shown = 64 << 10
	if st.inline || len(st.sql) > shown {
		return r.tag + " " + st.sql
	}
	return st.sql + "\n" + r.tag
}

// untagged takes the tag out of a message that quotes the query.
func (r *running) untagged(message string) string {
	return strings.NewReplacer("\n"+r.tag, "", r.tag+" ", "", r.tag, "").Replace(message)
}

// kill makes the engine end a query as soon as it can. The pattern is put together by the engine, so that this statement does
// not match itself.
func (e *engine) kill(id uint64) error {
	pattern := "concat('/* ', " + quoteString(tagWord+strconv.FormatUint(id, 10)+" ") + ")"
	if err := e.do("KILL QUERY WHERE position(query, " + pattern + ") > 0 ASYNC"); err != nil {
		return fmt.Errorf("kill query %d: %w", id, err)
	}
	return nil
}

// watch looks at the connection while the engine works, and ends the query when the client cancels it or goes away. The function that
// it returns ends the watch.
func (r *running) watch() (stop func()) {
	const firstRetry, lastRetry = 20 * time.Millisecond, time.Second
	finished, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		packet, err := r.conn.in.Peek(1)
		if err == nil && (packet[0] == clientQuery || packet[0] == clientPing || packet[0] == clientData) {
			return // a client that does not wait for its answer; it gets its turn
		}
		// All else ends the query, as nonsense does: ch-go puts a zero byte before its cancel.
		select {
		case <-finished:
			return // it was stop that ended the reading
		default:
			close(r.gone)
		}
		// The engine may not have listed the query yet, or may be where it does not look.
		for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
			if err := r.server.engine.kill(r.id); err != nil {
				r.server.log.Warn("clickhouse cancel", zap.Error(err))
			}
			if waitFor(finished, wait) {
				return
			}
		}
	}()
	return func() {
		close(finished)
		_ = r.conn.nc.SetReadDeadline(time.Unix(1, 0))
		<-done
		_ = r.conn.nc.SetReadDeadline(time.Time{})
	}
}

// receive says whether the query waits for its client, which a KILL QUERY then interrupts.
func (r *running) receive(on bool) (killed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receiving = on
	return r.killed
}

func (r *running) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	if r.receiving {
		_ = r.conn.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// abortKilled ends the inserts that a KILL QUERY hit while they wait for their clients: the engine itself would notice only
// when the next block comes, and a client that is stopped sends none.
func (s *server) abortKilled() error {
	text, err := s.engine.ask("SELECT query FROM system.processes WHERE is_cancelled")
	if err != nil {
		return fmt.Errorf("list killed queries: %w", err)
	}
	for _, m := range taggedQuery.FindAllStringSubmatch(text, -1) {
		id, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			continue
		}
		s.mu.Lock()
		r := s.running[id]
		s.mu.Unlock()
		if r != nil {
			r.abort()
		}
	}
	return nil
}

var taggedQuery = regexp.MustCompile(regexp.QuoteMeta("/* "+tagWord) + `(\d+) `)
