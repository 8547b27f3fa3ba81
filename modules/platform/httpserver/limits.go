package httpserver

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver/clientip"
)

func limitTime(route Route, most time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if route.NoLimit {
			return next
		}
		return func(c echo.Context) error {
			ctx, cancel := context.WithTimeout(c.Request().Context(), most)
			defer cancel()
			c.SetRequest(c.Request().WithContext(ctx))
			err := next(c)
			if err != nil && ctx.Err() != nil && core.CodeOf(err) == core.CodeInternal {
				return &core.Error{
					Code: core.CodeTimeout, Message: "the request took longer than it may; try again",
					RetryAfter: time.Second, Cause: err,
				}
			}
			return err
		}
	}
}

// Quota is what a limiter says of one request.
type Quota struct {
	OK        bool
	Limit     int           // in a window; 0: there is no limit, and nothing to tell of
	Remaining int           // in this window
	Reset     time.Duration // until the window ends
	Retry     time.Duration // when the next request would be let in, if this one was not
	Policy    string        // for the header RateLimit-Policy
	Name      string        // of the policy, quoted
}

// Limits are the rates that requests are held to. A nil limiter lets everything through.
type Limits struct {
	Address func(netip.Addr) Quota
	User    func(core.ID) Quota
}

// The headers of draft-ietf-httpapi-ratelimit-headers-10, spelt as net/http keeps them.
const (
	headerRateLimit       = "Ratelimit"
	headerRateLimitPolicy = "Ratelimit-Policy"
)

// call is a method and a path as it was registered.
type call struct{ method, path string }

// limitAddress bounds the requests of one client: whatever is asked, but for probes and what is for operators
// without a token, which must be answered while somebody floods us. A path that is none counts, and so does
// a preflight.
func (s *Server) limitAddress() echo.MiddlewareFunc {
	take, unlimited := s.limits.Address, clientip.Networks(s.cfg.Unlimited)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if take == nil {
			return next
		}
		return func(c echo.Context) error {
			method := c.Request().Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			if access, known := s.access[call{method, c.Path()}]; known &&
				(access == Public || access == Ops || access == Debug) {
				return next(c)
			}
			addr := answerOf(c).client
			if !addr.IsValid() || clientip.Within(addr, unlimited) {
				return next(c)
			}
			if quota := take(clientip.Subscriber(addr)); !quota.OK {
				return tooMany(c, quota, "from this address")
			}
			return next(c)
		}
	}
}

// limitUser bounds the requests of one user, whoever makes them and from wherever.
func limitUser(route Route, take func(core.ID) Quota) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if take == nil || route.Access != User {
			return next
		}
		return func(c echo.Context) error {
			quota := take(UserID(c))
			if !quota.OK {
				return tooMany(c, quota, "of this user")
			}
			tell(c, quota)
			return next(c)
		}
	}
}

func tooMany(c echo.Context, quota Quota, whose string) error {
	tell(c, quota)
	return &core.Error{
		Code: core.CodeRateLimited, Message: "too many requests " + whose + "; slow down",
		RetryAfter: max(quota.Retry, time.Second),
	}
}

func tell(c echo.Context, quota Quota) {
	if quota.Limit == 0 {
		return
	}
	h := c.Response().Header()
	h[headerRateLimitPolicy] = []string{quota.Policy}
	b := make([]byte, 0, 40)
	b = append(append(b, quota.Name...), ";r="...)
	b = append(strconv.AppendInt(b, int64(quota.Remaining), 10), ";t="...)
	b = strconv.AppendInt(b, int64((quota.Reset+time.Second-1)/time.Second), 10)
	h[headerRateLimit] = []string{string(b)}
}
