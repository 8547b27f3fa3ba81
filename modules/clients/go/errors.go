package feedrank

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Code is a stable word for what went wrong. New ones may come.
type Code string

// The codes that a program may branch on. The description of the API has all of them.
const (
	CodeInvalidRequest  Code = "invalid_request"
	CodeInvalidCursor   Code = "invalid_cursor"
	CodeCursorExpired   Code = "cursor_expired" // begin anew without a cursor
	CodeUnauthenticated Code = "unauthenticated"
	CodeForbidden       Code = "forbidden"
	CodeNotFound        Code = "not_found"
	CodeRateLimited     Code = "rate_limited"
	CodeUnavailable     Code = "unavailable"
	CodeOverloaded      Code = "overloaded"
	CodeTimeout         Code = "timeout"
)

// Error is a problem that the server told of (RFC 9457).
type Error struct {
	Status     int
	Code       Code   // empty: what answered is no feedrank, but a proxy before it
	Title      string // of the status
	Detail     string // a sentence for people
	Field      string // the parameter or member that is wrong, if one is
	RequestID  string // for the server's log
	RetryAfter time.Duration
}

// Error is the code and the sentence.
func (e *Error) Error() string {
	at := ""
	if e.Field != "" {
		at = e.Field + ": "
	}
	return fmt.Sprintf("feedrank: %d %s: %s%s", e.Status, e.Code, at, e.Detail)
}

// CodeOf is the code of an error of the server; empty: it is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// temporary tells whether to ask again may help.
func temporary(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return true // the network
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

const maxProblem = 64 << 10

// problemOf reads an answer that is none of success.
func problemOf(r *http.Response) *Error {
	text, _ := io.ReadAll(io.LimitReader(r.Body, maxProblem)) // what came of it has to do
	var told struct {
		Title, Detail, Field string
		Code                 Code
		RequestID            string `json:"request_id"`
	}
	_ = json.Unmarshal(text, &told) // a proxy's page is no problem document
	e := &Error{
		Status: r.StatusCode, Code: told.Code, Title: told.Title, Detail: told.Detail, Field: told.Field,
		RequestID: told.RequestID,
	}
	if e.RequestID == "" {
		e.RequestID = r.Header.Get("X-Request-Id")
	}
	if e.Detail == "" {
		e.Detail = http.StatusText(r.StatusCode)
	}
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
