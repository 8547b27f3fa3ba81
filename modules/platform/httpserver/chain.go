package httpserver

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// The protections of the server, in the order in which they meet a client. Each is one piece in one
// place; a new one is a line here.
//
//	TCP      connections are counted, in all and by address                        connections.go
//	TLS      certificates, reloaded when their files change                        tlsconfig
//	HTTP     times to read headers, body, and to write; size of the headers        server.go
//	always   request id, metrics and log, panics, farewell, headers, CORS          everyRequest
//	         how many at once, how many from an address, how large a body
//	route    is there room, how long, whose token, how many of a user              everyRoute

// everyRequest is what any request passes, whether or not there is such a call.
func (s *Server) everyRequest() []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: uuid.NewString, RequestIDHandler: shortID}),
		s.observe,
		s.recoverPanics(),
		s.farewell,
		securityHeaders(s.cfg.TLS.Enabled()),
		cors(s.cfg.CORS),
		limitConcurrency(s.cfg.MaxConcurrent),
		limitBody(s.cfg.MaxBodyBytes),
	}
}

// everyRoute is what a request passes before the handler of this route.
func (s *Server) everyRoute(r Route) []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		limitAddress(r, s.limits.Address, networks(s.cfg.Unlimited)),
		admit(r, s.gate),
		limitTime(r, s.cfg.RequestTimeout),
		authorize(r, s.auth),
		tellOfActing(s.log),
		limitUser(r, s.limits.User),
	}
}
