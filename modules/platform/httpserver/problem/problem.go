// Package problem writes every error as a problem document (RFC 9457).
package problem

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Document is the body of every error (RFC 9457). Clients branch on Code, which never changes its
// meaning.
type Document struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"`
	Status    int       `json:"status"`
	Detail    string    `json:"detail"`
	Code      core.Code `json:"code"`
	Field     string    `json:"field,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
}

// statusOf maps the codes to HTTP once, for all handlers.
var statusOf = map[core.Code]int{
	core.CodeInvalidRequest:  http.StatusBadRequest,
	core.CodeMalformedJSON:   http.StatusBadRequest,
	core.CodeInvalidCursor:   http.StatusBadRequest,
	core.CodeUnauthenticated: http.StatusUnauthorized,
	core.CodeForbidden:       http.StatusForbidden,
	core.CodeNotFound:        http.StatusNotFound,
	core.CodeMethod:          http.StatusMethodNotAllowed,
	core.CodeSlowRequest:     http.StatusRequestTimeout,
	core.CodeConflict:        http.StatusConflict,
	core.CodeCursorExpired:   http.StatusGone,
	core.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	core.CodeMediaType:       http.StatusUnsupportedMediaType,
	core.CodeHeadersTooLarge: http.StatusRequestHeaderFieldsTooLarge,
	core.CodeRateLimited:     http.StatusTooManyRequests,
	core.CodeInternal:        http.StatusInternalServerError,
	core.CodeUnavailable:     http.StatusServiceUnavailable,
	core.CodeOverloaded:      http.StatusServiceUnavailable,
	core.CodeTimeout:         http.StatusServiceUnavailable,
}

// Handler writes every error of a handler as a problem detail.
func Handler(log *zap.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		failure := asError(err)
		status := statusOf[failure.Code]
		switch log := tracing.Log(c.Request().Context(), log); {
		case status == http.StatusInternalServerError:
			log.Error("request failed", zap.String("route", c.Path()), zap.Error(err))
		case status == http.StatusServiceUnavailable && failure.Cause != nil: // the answer does not say why
			log.Warn("request could not be answered", zap.String("route", c.Path()), zap.Error(failure.Cause))
		}
		h := c.Response().Header()
		if failure.RetryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(failure.RetryAfter.Seconds()))))
		}
		if status == http.StatusUnauthorized {
			h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="feedrank"`)
		}
		h.Set(echo.HeaderContentType, "application/problem+json")
		c.Response().WriteHeader(status)
		if c.Request().Method == http.MethodHead {
			return
		}
		body := Document{
			Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: failure.Message,
			Code: failure.Code, Field: failure.Field, RequestID: tracing.RequestID(c.Request().Context()),
		}
		if err := json.NewEncoder(c.Response()).Encode(body); err != nil {
			tracing.Log(c.Request().Context(), log).Debug("write a problem", zap.Error(err)) // the client is gone
		}
	}
}

// Status is the status with which an error is answered.
func Status(err error) int { return statusOf[asError(err).Code] }

// asError makes one of ours of whatever a handler or echo itself returned.
func asError(err error) *core.Error {
	var ours *core.Error
	if errors.As(err, &ours) {
		if _, known := statusOf[ours.Code]; known {
			return ours
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return core.Errorf(core.CodeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	var theirs *echo.HTTPError
	if errors.As(err, &theirs) {
		switch theirs.Code {
		case http.StatusNotFound:
			return core.Errorf(core.CodeNotFound, "there is no such call")
		case http.StatusMethodNotAllowed:
			return core.Errorf(core.CodeMethod, "this path does not take that method")
		case http.StatusRequestEntityTooLarge:
			return core.Errorf(core.CodeTooLarge, "the body is too large")
		case http.StatusServiceUnavailable:
			return core.Errorf(core.CodeTimeout, "the request took longer than it may")
		}
	}
	return &core.Error{
		Code: core.CodeInternal, Message: "an internal error; its log line has the request id",
		Cause: err,
	}
}
