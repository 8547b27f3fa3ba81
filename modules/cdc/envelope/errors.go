package envelope

import (
	"errors"
	"fmt"
)

// Error says why a record cannot be read. Its reason is a stable word: dead letters and metrics
// carry it.
type Error struct {
	Reason string
	Err    error
	Value  string // that it is about, if it is about one: for dead letters, not for logs
}

// The reasons.
const (
	ReasonMalformed   = "malformed_json"
	ReasonNotEnvelope = "not_an_envelope"
	ReasonUnknownOp   = "unknown_op"
	ReasonNoKey       = "no_key"
	ReasonNoRow       = "no_row"
	ReasonValue       = "value_does_not_fit"
	ReasonColumn      = "column_missing"
	ReasonUnavailable = "value_unavailable"
	ReasonForeign     = "foreign_format"
)

// Reasons are all of them.
func Reasons() []string {
	return []string{
		ReasonMalformed, ReasonNotEnvelope, ReasonUnknownOp, ReasonNoKey, ReasonNoRow, ReasonValue, ReasonColumn,
		ReasonUnavailable, ReasonForeign,
	}
}

// Errorf makes an Error.
func Errorf(reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Quoting adds the value that it is about.
func (e *Error) Quoting(value string) *Error {
	e.Value = value
	return e
}

// Error is the reason and the detail, with the value.
func (e *Error) Error() string {
	if e.Value == "" {
		return e.Reason + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s: %s: %.70q", e.Reason, e.Err, e.Value)
}

// WithoutValue is what a log may hold of an error: people may be named by values.
func WithoutValue(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Reason: e.Reason, Err: e.Err}
	}
	return err
}

// Unwrap is the detail.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf is the reason of the first Error in the chain; "unknown" if there is none.
func ReasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return "unknown"
}
