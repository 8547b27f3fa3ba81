package httpserver

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
	"github.com/feedrank/feedrank/modules/platform/httpserver/waitlist"
)

const (
	bodyCost  = 16 << 10               // of a request whose body is awaited: its goroutine, headers and buffers
	firstRead = 4 << 10                // bytes; what a body takes beyond is charged as it comes
	lingering = 500 * time.Millisecond // what a refused client has to take its answer before the connection ends
	lingerFor = 4 << 20                // bytes that are read and dropped meanwhile
)

func newBodies(most int64, reg prometheus.Registerer) *waitlist.List {
	ended := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "feedrank_http_slow_bodies_total",
		Help: "Requests whose body was given up (408), because others needed its memory and it had been on its way longest.",
	})
	w := waitlist.New(most, ended)
	reg.MustRegister(ended, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_http_body_bytes",
		Help: "Memory of the bodies that are read or worked on: see http.max_body_memory.",
	}, w.Cost))
	return w
}

// hasBody tells whether a client announced a body.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 }

// takesBody tells whether a call reads a body. What comes with others is not waited for.
func takesBody(route Route) bool {
	return route.Method != http.MethodGet && route.Method != http.MethodHead
}

// hangUpOnUnread never waits for a body that nobody read: its request was refused, or has no use for one. The
// answer goes out at once, and over HTTP/1 the connection ends; over HTTP/2 the stream does.
func (s *Server) hangUpOnUnread(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !hasBody(c.Request()) {
			return next(c)
		}
		first := c.Request().ProtoMajor == 1
		if first {
			c.Response().Header().Set(echo.HeaderConnection, "close") // until the body is here
		}
		err := next(c)
		if _, here := c.Request().Body.(arrived); first && !here {
			linger(c)
		}
		return err
	}
}

// linger sends the answer, and gives a client that still writes a moment to read it: one that is hung up on
// at once sees a broken connection instead.
func linger(c echo.Context) {
	control := http.NewResponseController(c.Response().Writer)
	if control.Flush() != nil || control.SetReadDeadline(core.Deadline(lingering)) != nil {
		return // the client is gone
	}
	_, _ = io.CopyN(io.Discard, c.Request().Body, lingerFor)
}

// refuseLong answers a body that says that it is too long before any of it is read.
func refuseLong(most int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Request().ContentLength > most {
				c.Response().Header().Set(echo.HeaderConnection, "close") // over HTTP/2, net/http makes a GOAWAY of it
				return core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes", most)
			}
			return next(c)
		}
	}
}

// arrived is a body that is here as a whole.
type arrived struct {
	*bytes.Reader
	whole []byte
}

func (arrived) Close() error { return nil }

// awaitBody reads the body of a request that was let in. The handler finds it in memory: nothing that
// others need (places, breakers) is held while a client sends.
func (s *Server) awaitBody(route Route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if !takesBody(route) {
			return next
		}
		return func(c echo.Context) error {
			r := c.Request()
			if !hasBody(r) {
				return next(c)
			}
			control := http.NewResponseController(c.Response().Writer)
			one, ok := s.bodies.Enter(bodyCost, func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
			if !ok {
				return tooManyBodies()
			}
			defer s.bodies.Quit(one)
			body, err := s.readBody(c, one)
			if inTime := s.bodies.Arrived(one); !inTime {
				return &core.Error{
					Code:    core.CodeSlowRequest,
					Message: "the body took longer than others while there was no room for all; try again",
				}
			}
			if err != nil {
				return err
			}
			c.SetRequest(withBody(r, body))
			if !s.ending.Load() && r.ProtoMajor == 1 {
				c.Response().Header().Del(echo.HeaderConnection)
			}
			return next(c)
		}
	}
}

// withBody is a request with another body. The server's own stays: net/http looks at it when the answer ends.
func withBody(r *http.Request, body []byte) *http.Request {
	with := new(http.Request)
	*with = *r
	with.Body = arrived{bytes.NewReader(body), body}
	return with
}

// readBody grows with what has come, not with what was announced.
func (s *Server) readBody(c echo.Context, one *waitlist.Wait) ([]byte, error) {
	r, most := c.Request(), s.cfg.MaxBodyBytes
	limited := http.MaxBytesReader(c.Response().Writer, r.Body, most)
	if r.ContentLength > 0 {
		most = r.ContentLength
	}
	body := make([]byte, 0, min(firstRead, most+1))
	for {
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if len(body) < cap(body) {
			continue
		}
		larger := min(int64(2*cap(body)), most+1)
		if !s.bodies.Grow(one, larger-int64(cap(body))) {
			return nil, tooManyBodies()
		}
		body = append(make([]byte, 0, larger), body...)
	}
}

func tooManyBodies() error {
	return &core.Error{
		Code: core.CodeOverloaded, Message: "too many bodies at once; try again",
		RetryAfter: time.Second,
	}
}

// bodyError blames the client for a body that does not come, or comes broken.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &core.Error{Code: core.CodeSlowRequest, Message: "the body did not come in time", Cause: err}
	default:
		return &core.Error{Code: core.CodeInvalidRequest, Message: "the body cannot be read to its end", Cause: err}
	}
}

// refuseNoText looks at the path, and at the body unless the handler says which part of it is wrong.
func refuseNoText(route Route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !textcheck.IsText(c.Request().URL.Path) {
				return core.InvalidField("path", textcheck.Want)
			}
			body, here := c.Request().Body.(arrived)
			if here && !route.InParts && !textcheck.IsJSONText(body.whole) {
				return core.Errorf(core.CodeMalformedJSON, "the body holds a NUL, or bytes that are no UTF-8: %s",
					textcheck.Want)
			}
			return next(c)
		}
	}
}
