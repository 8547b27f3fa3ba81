package httpserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
)

// limitConcurrency sheds what is too much before it costs anything.
func limitConcurrency(most int) echo.MiddlewareFunc {
	slots := make(chan struct{}, most)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				return next(c)
			default:
				return &core.Error{Code: core.CodeOverloaded, Message: "too many requests at once; try again", RetryAfter: time.Second}
			}
		}
	}
}

func limitBody(most int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.ContentLength > most {
				// A client that still writes when we hang up sees a broken connection instead of the answer.
				_, _ = io.CopyN(io.Discard, r.Body, 2*most)
				return core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes", most)
			}
			r.Body = clientBody{http.MaxBytesReader(c.Response(), r.Body, most)}
			return next(c)
		}
	}
}

// clientBody blames the client for a body that does not come, or comes broken.
type clientBody struct{ io.ReadCloser }

func (b clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.As(err, &tooLarge):
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, &core.Error{Code: core.CodeSlowRequest, Message: "the body did not come in time", Cause: err}
	default:
		return n, &core.Error{Code: core.CodeInvalidRequest, Message: "the body cannot be read to its end", Cause: err}
	}
}

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
				return &core.Error{Code: core.CodeTimeout, Message: "the request took longer than it may; try again", RetryAfter: time.Second, Cause: err}
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

// limitAddress bounds the requests from one client address. Operation is not limited: probes must be
// answered while somebody floods us.
func limitAddress(route Route, take func(netip.Addr) Quota, unlimited []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if take == nil || (route.Access != User && route.Access != Admin) {
			return next
		}
		return func(c echo.Context) error {
			addr, err := netip.ParseAddr(c.RealIP())
			if err != nil || within(addr.Unmap(), unlimited) {
				return next(c)
			}
			if quota := take(addr.Unmap()); !quota.OK {
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
		Code: core.CodeRateLimited, Message: "too many requests " + whose + "; slow down", RetryAfter: max(quota.Retry, time.Second),
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
