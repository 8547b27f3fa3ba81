package httpserver

import (
	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/platform/httpserver/compress"
)

// The protections of the server, in the order in which they meet a client. Each is one piece in one
// place; a new one is a line here. doc.go says what each of them bounds.
//
//	TCP      connections are counted, in all and by client                         connections
//	TLS      certificates, reloaded when their files change                        tlsconfig
//	HTTP     times to read headers, body, and to write; size of the headers        server.go
//	always   what an answer holds, bodies that nobody reads, request id, metrics   everyRequest
//	         and log, panics, draining, headers, how many from a client, CORS,
//	         how long a body may be
//	route    whose token, how many of a user, the body, is it text; then: is there room,       everyRoute
//	         the record of what operators change, how long it may take, gzip

// everyRequest is what any request passes, whether or not there is such a call.
func (s *Server) everyRequest() []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		s.watchAnswer,
		s.hangUpOnUnread,
		s.identify,
		s.observe,
		s.recoverPanics(),
		s.giveUpConnections,
		securityHeaders(s.cfg.TLS.Enabled()),
		limitHeaders(s.cfg.MaxHeaderBytes),
		s.limitAddress(),
		cors(s.cfg.CORS),
		refuseLong(s.cfg.MaxBodyBytes),
	}
}

// everyRoute is what a request passes before the handler of this route. Who has no token holds nothing that
// others need: places are taken after it was looked at, and after the body is here.
func (s *Server) everyRoute(r Route) []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		authorize(r, s.auth),
		tellOfActing(s.log),
		limitUser(r, s.limits.User),
		s.awaitBody(r),
		refuseNoText(r),
		s.enter(r),
		record(r, s.record, s.clock),
		limitTime(r, s.cfg.RequestTimeout),
		compressed(r, s.cfg.GzipBytes),
	}
}

// compressed gives answers as gzip, but for profiles and metrics.
func compressed(r Route, least int) echo.MiddlewareFunc {
	if least == 0 || r.NoLimit || r.Access == Debug || r.Access == Ops {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return compress.Answers(least)
}
