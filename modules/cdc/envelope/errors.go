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

// Error is the reason and the detail.
func (e *Error) Error() string { return e.Reason + ": " + e.Err.Error() }

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
