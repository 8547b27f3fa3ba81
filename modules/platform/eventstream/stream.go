package eventstream

import (
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// The reasons for which a stream ends.
const (
	gone      = "client" // the client hung up
	slow      = "slow"   // it took nothing for too long
	expired   = "token_expired"
	old       = "max_age"
	draining  = "draining"
	cancelled = "cancelled" // it never began
)

// Stream is one open answer. It is safe for concurrent use.
type Stream struct {
	streams *Streams
	user    core.ID
	until   time.Time // its token expires, or it is old
	reason  string    // for which it ends then
	onEnd   func()

	mu      sync.Mutex
	to      writer // nil: not yet, or not any more
	event   []byte // the latest that is not sent
	beat    bool
	sending bool
	since   core.Stopwatch // what is sent now
	ending  string         // a reason: what is left is to say so
	after   time.Duration  // for which the client shall stay away then
	ended   bool
	wrote   time.Time
	done    chan struct{} // it has ended, and nobody writes
}

// Send sends an event, in place of one that is not sent yet.
func (s *Stream) Send(event []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.event = event
	s.wake()
}

// OnEnd has f called when the stream ends, once. It must be set before the stream begins.
func (s *Stream) OnEnd(f func()) { s.onEnd = f }

// Cancel gives up a stream that did not begin.
func (s *Stream) Cancel() { s.end(cancelled) }

// finish has a stream say why it ends, and end.
func (s *Stream) finish(reason string, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending == "" {
		s.ending, s.after = reason, after
	}
	s.wake()
}

// wake writes what there is to write. The caller holds the lock.
func (s *Stream) wake() {
	if s.to == nil || s.sending || s.ended {
		return
	}
	s.sending = true
	s.streams.running.Go(s.write)
}

// write sends until there is nothing more to send.
func (s *Stream) write() {
	for {
		p, last := s.next()
		if p == nil {
			return
		}
		err := s.to.write(p, s.streams.options.WriteTimeout)
		switch {
		case err != nil:
			s.stop(gone)
			return
		case last:
			s.stop(s.ending)
			return
		}
	}
}

// stop ends a stream that this goroutine writes.
func (s *Stream) stop(reason string) {
	s.end(reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending = false
	close(s.done)
}

// next is what to send now; nil: nothing, and nobody writes from now on.
func (s *Stream) next() (p []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.streams.metrics
	switch {
	case s.ended:
		s.sending = false
		close(s.done)
		return nil, false
	case s.event != nil:
		p, s.event = s.event, nil
		m.events.Inc()
	case s.ending != "":
		p, last = appendEnd(nil, s.ending, s.after), true
	case s.beat:
		p = heartbeat
		m.heartbeats.Inc()
	default:
		s.sending = false
		return nil, false
	}
	s.beat, s.wrote, s.since = false, s.streams.clock.Now(), core.StartStopwatch()
	return p, last
}

// end lets go of a stream: its place, and its connection.
func (s *Stream) end(reason string) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	to, sending := s.to, s.sending
	if !sending {
		close(s.done)
	} else if reason == gone && s.since.Elapsed() >= s.streams.options.WriteTimeout {
		reason = slow // over HTTP/2 that looks like a client that went away
	}
	s.mu.Unlock()
	s.streams.leave(s, reason)
	if to != nil {
		to.close()
	}
	if s.onEnd != nil {
		s.onEnd()
	}
}

// look is the round's look at a stream: it begins a heartbeat, or the end.
func (s *Stream) look(now time.Time, heartbeat time.Duration) {
	if !s.until.IsZero() && !now.Before(s.until) {
		s.finish(s.reason, s.streams.options.Retry)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.wrote) >= heartbeat {
		s.beat = true
		s.wake()
	}
}
