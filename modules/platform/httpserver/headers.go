package httpserver

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// identify gives a request its id: the client's, if it is one that may be repeated in logs, else one that is made.
// From then on its context has it, and its span. Probes and scrapes have none.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !tracing.ValidRequestID(id) {
			id = uuid.NewString()
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		ctx := tracing.WithRequest(c.Request().Context(), id)
		if s.tracer == nil || !s.traced(c) {
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
		ctx, span := s.tracer.Serve(ctx, c.Request().Method, c.Path(), c.Request().Header.Get(tracing.Traceparent))
		c.SetRequest(c.Request().WithContext(ctx))
		err := next(c)
		span.EndAnswered(c.Response().Status) // what is below has written it, of an error too
		return err
	}
}

func (s *Server) traced(c echo.Context) bool {
	access, known := s.access[call{c.Request().Method, c.Path()}]
	return known && access != Public && access != Ops && access != Debug
}

// Beside its limit, the server reads so much of headers that are too large, to say so in a problem document. What
// is larger still is net/http's to refuse: 431 in plain text over HTTP/1, in HTML over HTTP/2.
const headersBeyond = 8 << 10

// limitHeaders counts what they take as lines of HTTP/1.
func limitHeaders(most int) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			size := len(r.Method) + len(r.URL.Path) + len(r.URL.RawQuery) + len(r.Host)
			for name, values := range r.Header {
				for _, value := range values {
					size += len(name) + len(value) + len(": \r\n")
				}
			}
			if size > most {
				c.Response().Header().Set(echo.HeaderConnection, "close")
				return core.Errorf(core.CodeHeadersTooLarge, "the headers are larger than %d bytes", most)
			}
			return next(c)
		}
	}
}

// giveUpConnections has clients give up their connections while the server drains, and send the next request to
// another replica. To close idle ones ourselves would meet requests that are on their way.
func (s *Server) giveUpConnections(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.ending.Load() {
			c.Response().Header().Set(echo.HeaderConnection, "close") // over HTTP/2, net/http makes a GOAWAY of it
		}
		return next(c)
	}
}

// securityHeaders tell browsers to take an answer for what it is: data, which is nobody's page,
// script, frame or cache entry.
func securityHeaders(https bool) echo.MiddlewareFunc {
	fixed := http.Header{
		echo.HeaderXContentTypeOptions:   {"nosniff"},
		echo.HeaderCacheControl:          {"no-store"},
		echo.HeaderContentSecurityPolicy: {"default-src 'none'; frame-ancestors 'none'"},
		echo.HeaderReferrerPolicy:        {"no-referrer"},
	}
	if https {
		fixed[echo.HeaderStrictTransportSecurity] = []string{"max-age=31536000"}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			for name, value := range fixed {
				h[name] = value
			}
			return next(c)
		}
	}
}

// cors lets the configured web pages read answers; no others.
func cors(cfg CORSConfig) echo.MiddlewareFunc {
	if len(cfg.Origins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins: cfg.Origins, // and the methods that the path takes: those of the router
		AllowHeaders: cfg.Headers,
		ExposeHeaders: []string{
			echo.HeaderXRequestID, echo.HeaderRetryAfter, "ETag", headerRateLimit,
			headerRateLimitPolicy,
		},
		MaxAge: int(cfg.MaxAge.Seconds()),
	})
}
