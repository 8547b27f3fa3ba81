package httpserver

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/admission"
	"github.com/feedrank/feedrank/modules/platform/httpserver/waitlist"
)

// operatorPlaces are the calls of operators that may be under way at once, profiles among them.
const operatorPlaces = 256

// consolePlaces are the pages of the console that may be made at once. What a page asks has a place of an operator
// besides.
const consolePlaces = 32

// places bound the requests that are worked on. A request has one from when all of it is here until its
// answer begins to be written: no client can hold one by sending or reading slowly.
type places chan struct{}

func (p places) take() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

// answer gives back what a request holds as soon as its answer begins, and has answers that clients do not
// read bounded.
type answer struct {
	http.ResponseWriter
	client netip.Addr // who calls
	of     places
	gate   *admission.Gate
	unread *waitlist.List // of HTTP/2; over HTTP/1 the connection is the bound
	one    *waitlist.Wait
	watch  core.Stopwatch
	began  time.Duration // of an answer that stays open: what it took to begin
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// WriteHeader passes the status on.
func (a *answer) WriteHeader(status int) {
	a.begin()
	a.ResponseWriter.WriteHeader(status)
}

// Write passes the body on.
func (a *answer) Write(p []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) begin() {
	a.release()
	if a.unread != nil && a.one == nil {
		control := http.NewResponseController(a.ResponseWriter)
		// With none of its own to end, it would not be let in only if the bound were zero.
		a.one, _ = a.unread.Enter(1, func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })
	}
}

func (a *answer) release() {
	if a.of != nil {
		<-a.of
		a.of = nil
	}
	if a.gate != nil {
		a.gate.Leave()
		a.gate = nil
	}
}

// finish waits until an answer over HTTP/2 is on its way: there, a client says of each stream how much it takes.
func (a *answer) finish() {
	if a.one != nil {
		_ = http.NewResponseController(a.ResponseWriter).Flush() // the client is gone, or read too slowly
		a.unread.Quit(a.one)
	}
	*a = answer{}
	answers.Put(a)
}

func newUnread(most int, reg prometheus.Registerer) *waitlist.List {
	ended := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "feedrank_http_unread_answers_total",
		Help: "Answers over HTTP/2 that were given up, because as many as http.max_concurrent were not read and these had waited longest.",
	})
	reg.MustRegister(ended)
	return waitlist.New(int64(most), ended)
}

// Streaming begins an answer that stays open: it is told apart from those that a client has not read, which give way to
// each other, and is timed until it begins. What is open has a bound of its own.
func Streaming(c echo.Context) {
	a := answerOf(c)
	a.unread, a.began = nil, a.watch.Elapsed()
}

// watchAnswer is the outermost of all: whatever is written goes through its answer.
func (s *Server) watchAnswer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, _ := answers.Get().(*answer)
		a.ResponseWriter, a.client = c.Response().Writer, s.clients.Of(c.Request())
		if c.Request().ProtoMajor == 2 {
			a.unread = s.unread
		}
		c.Response().Writer = a
		defer func() {
			c.Response().Writer = a.ResponseWriter
			a.finish()
		}()
		return next(c)
	}
}

// answerOf finds a request's answer below what else writes through it.
func answerOf(c echo.Context) *answer {
	w := c.Response().Writer
	for {
		switch under := w.(type) {
		case *answer:
			return under
		case interface{ Unwrap() http.ResponseWriter }:
			w = under.Unwrap()
		default:
			return new(answer) // no server of ours: what it holds is given back when the handler ends
		}
	}
}

// enter has a request worked on, while there is room: for those of strangers, at most http.max_concurrent,
// and for calls of users what admission lets in. Probes hold nothing, and operators have places of their own.
func (s *Server) enter(route Route) echo.MiddlewareFunc {
	of, gate := s.placesOf(route)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if of == nil {
			return next
		}
		return func(c echo.Context) error {
			if !of.take() {
				return &core.Error{
					Code: core.CodeOverloaded, Message: "too many requests at once; try again",
					RetryAfter: time.Second,
				}
			}
			held := answerOf(c)
			held.of = of
			defer held.release()
			if gate != nil {
				if err := gate.Enter(c.Request().Context(), route.Class); err != nil {
					return err
				}
				held.gate = gate
			}
			return next(c)
		}
	}
}

func (s *Server) placesOf(route Route) (places, *admission.Gate) {
	switch route.Access {
	case Public:
		return nil, nil
	case User:
		return s.strangers, s.gate
	case Anybody:
		return s.strangers, nil
	case Console:
		return s.pages, nil
	case Admin, Ops, Debug:
	}
	return s.operators, nil
}
