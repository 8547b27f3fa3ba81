package eventstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Options bound streams.
type Options struct {
	Most         int           // open at once
	MostOfUser   int           // of them of one user
	Heartbeat    time.Duration // a stream that sent nothing for so long sends a comment
	MaxAge       time.Duration // a stream ends after that, give or take a tenth: its client may find another replica
	WriteTimeout time.Duration // a client that takes nothing for so long is ended
	Retry        time.Duration // after which a client that lost its stream comes back
}

// Streams are the open streams of one call. It is safe for concurrent use.
type Streams struct {
	options Options
	clock   core.Clock
	metrics *metrics
	rounds  *worker.Group
	looked  []*Stream      // memory of look
	running sync.WaitGroup // streams that have not ended, who writes, and who waits for clients to hang up

	mu      sync.Mutex
	open    map[*Stream]struct{}
	of      map[core.ID]int
	stopped bool
}

// New makes none.
func New(options Options, clock core.Clock, reg prometheus.Registerer) *Streams {
	s := &Streams{
		options: options, clock: clock, rounds: worker.NewGroup(nil), open: map[*Stream]struct{}{},
		of: map[core.ID]int{},
	}
	s.metrics = newMetrics(reg, func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.open))
	})
	return s
}

// Start begins the rounds.
func (s *Streams) Start(context.Context) error {
	s.rounds.Go("look at event streams", func(ctx context.Context) error {
		for worker.Pause(ctx, time.Second) == nil {
			s.look()
		}
		return nil
	})
	return nil
}

// Stop ends what End has left, and waits.
func (s *Streams) Stop(ctx context.Context) error {
	s.End(ctx)
	return s.rounds.Stop(ctx)
}

// look sees to heartbeats and to what has had its time.
func (s *Streams) look() {
	now := s.clock.Now()
	s.looked = s.appendAll(s.looked[:0])
	for _, one := range s.looked {
		one.look(now, s.options.Heartbeat)
	}
	clear(s.looked)
}

func (s *Streams) appendAll(all []*Stream) []*Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.open {
		all = append(all, one)
	}
	return all
}

// enter takes a place for a user's stream, or says why there is none.
func (s *Streams) enter(user core.ID, expires time.Time) (*Stream, error) {
	now := s.clock.Now()
	one := &Stream{
		streams: s, user: user, until: now.Add(jittered(s.options.MaxAge)), reason: old, wrote: now,
		done: make(chan struct{}),
	}
	if !expires.IsZero() && expires.Before(one.until) {
		one.until, one.reason = expires, expired
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return nil, core.Unavailable("this replica, which stops,", time.Second, nil)
	case s.of[user] >= s.options.MostOfUser:
		s.metrics.refused.WithLabelValues("user").Inc()
		return nil, &core.Error{
			Code: core.CodeRateLimited, RetryAfter: s.options.Heartbeat,
			Message: "this user has as many streams open as one may; close one of them",
		}
	case len(s.open) >= s.options.Most:
		s.metrics.refused.WithLabelValues("all").Inc()
		return nil, &core.Error{
			Code: core.CodeOverloaded, RetryAfter: jittered(10 * s.options.Retry),
			Message: "as many streams are open as this replica may have; try again, or ask from time to time instead",
		}
	}
	s.open[one] = struct{}{}
	s.of[user]++
	s.running.Add(1)
	return one, nil
}

// jittered is a time give or take a tenth.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

func (s *Streams) leave(one *Stream, reason string) {
	s.mu.Lock()
	delete(s.open, one)
	if s.of[one.user]--; s.of[one.user] <= 0 {
		delete(s.of, one.user)
	}
	s.mu.Unlock()
	s.metrics.ended.WithLabelValues(reason).Inc()
	s.running.Done()
}

// Open takes a place for a stream of the user who calls. Serve or Cancel must follow.
func (s *Streams) Open(c echo.Context) (*Stream, error) {
	return s.enter(httpserver.UserID(c), httpserver.Expires(c))
}

// Serve begins the answer with an event, or without one. Over HTTP/1 it returns at once, and the stream goes on; over
// HTTP/2 it returns when the stream has ended.
func (s *Streams) Serve(c echo.Context, one *Stream, first []byte) error {
	head := c.Response().Header()
	head.Set(echo.HeaderContentType, "text/event-stream")
	head.Set("X-Accel-Buffering", "no") // of nginx, which would keep events until it has many
	if c.Request().Method == http.MethodHead {
		one.Cancel()
		return c.NoContent(http.StatusOK)
	}
	if !one.hold() {
		return core.Unavailable("this replica, which stops,", time.Second, nil)
	}
	defer s.running.Done()
	httpserver.Streaming(c)
	begin := append(appendRetry(nil, s.options.Retry), first...)
	if c.Request().ProtoMajor == 1 {
		head.Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
		conn, err := takeOver(c, head, s.options.WriteTimeout)
		if conn == nil {
			one.Cancel()
			return err
		}
		s.running.Go(func() {
			conn.waitForHangUp()
			one.end(gone)
		})
		one.begin(conn, begin)
		if err != nil {
			one.end(gone)
		}
		return nil
	}
	c.Response().WriteHeader(http.StatusOK)
	one.begin(&answer{c.Response().Writer, http.NewResponseController(c.Response().Writer)}, begin)
	select {
	case <-c.Request().Context().Done():
		one.end(gone)
	case <-one.done:
	}
	<-one.done // nobody may write once the handler has returned
	return nil
}

// hold has a stream waited for, if it has not ended.
func (s *Stream) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.streams.running.Add(1)
	}
	return !s.ended
}

// begin has events go to a writer.
func (s *Stream) begin(to writer, first []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.event != nil { // it is younger
		first = append(first, s.event...)
	}
	s.to, s.event = to, first
	if s.ended {
		to.close()
		return
	}
	s.wake()
}

// spread is how many clients a second the replicas that are left shall get.
const spread = 1000

// End ends all streams and lets none begin: the replica stops. Who reads nothing is hung up on when ctx ends.
func (s *Streams) End(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	all := s.appendAll(nil)
	over := time.Duration(len(all)) * time.Second / spread
	for _, one := range all {
		one.finish(draining, s.options.Retry+rand.N(over+1))
	}
	written := make(chan struct{})
	go func() {
		s.running.Wait()
		close(written)
	}()
	select {
	case <-written:
	case <-ctx.Done():
		for _, one := range s.appendAll(nil) {
			one.end(draining)
		}
		<-written
	}
}
