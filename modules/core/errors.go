package core

import (
	"errors"
	"fmt"
	"time"
)

// Code is a stable word for a kind of failure, which clients branch on. It never changes its
// meaning; the message beside it may.
type Code string

// The codes of the HTTP API.
const (
	CodeInvalidRequest  Code = "invalid_request"    // 400: a parameter or the body is wrong
	CodeMalformedJSON   Code = "malformed_json"     // 400: the body is not JSON, or not of the right shape
	CodeInvalidCursor   Code = "invalid_cursor"     // 400: tampered, foreign or malformed
	CodeUnauthenticated Code = "unauthenticated"    // 401: no token, or one that does not hold
	CodeForbidden       Code = "forbidden"          // 403: the token does not allow it
	CodeNotFound        Code = "not_found"          // 404
	CodeMethod          Code = "method_not_allowed" // 405
	CodeSlowRequest     Code = "request_timeout"    // 408: the body did not come in time
	CodeConflict        Code = "conflict"           // 409
	CodeCursorExpired   Code = "cursor_expired"     // 410: start anew without a cursor
	CodeTooLarge        Code = "body_too_large"     // 413
	CodeMediaType       Code = "unsupported_media"  // 415
	CodeHeadersTooLarge Code = "headers_too_large"  // 431
	CodeRateLimited     Code = "rate_limited"       // 429, with Retry-After
	CodeInternal        Code = "internal"           // 500: a bug of ours
	CodeUnavailable     Code = "unavailable"        // 503, with Retry-After
	CodeOverloaded      Code = "overloaded"         // 503, with Retry-After: shed before collapse
	CodeTimeout         Code = "timeout"            // 503: the request's budget is used up
)

// Error is a failure that a client may be told of: its code, a sentence that says what to do, and
// the field that is wrong if it is one.
type Error struct {
	Code       Code
	Message    string
	Field      string        // the parameter or JSON field, if one is to blame
	RetryAfter time.Duration // for 429 and 503
	Cause      error         // for our log; never sent
}

// Errorf makes an Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InvalidField makes an Error that blames one field of the request.
func InvalidField(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalidRequest, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Unavailable makes an Error for a dependency that does not answer.
func Unavailable(what string, retryAfter time.Duration, cause error) *Error {
	return &Error{
		Code: CodeUnavailable, Message: what + " is not available now; try again later",
		RetryAfter: retryAfter, Cause: cause,
	}
}

// Error is the code, the message and the cause.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Field != "" {
		s = string(e.Code) + ": " + e.Field + ": " + e.Message
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code of the first Error in the chain; CodeInternal if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
