package core

import (
	"errors"
	"time"
)

// ErrInvalidTime is returned for text that is not a time of RFC 3339.
var ErrInvalidTime = errors.New("want a time such as 2026-01-31T12:34:56.789Z (RFC 3339)")

// ParseTime reads a time as RFC 3339 has it: t and z may be small, any offset will do, and the second 60
// (a leap second) is the first instant of the next minute.
func ParseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	if len(text) < len("2006-01-02T15:04:05Z") || len(text) > 64 {
		return time.Time{}, ErrInvalidTime
	}
	b := []byte(text)
	if b[10] == 't' {
		b[10] = 'T'
	}
	if b[len(b)-1] == 'z' {
		b[len(b)-1] = 'Z'
	}
	leap := string(b[16:19]) == ":60"
	if leap {
		b[17], b[18] = '5', '9'
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil || leap && t.UTC().Minute() != 59 {
		return time.Time{}, ErrInvalidTime // leap seconds end an hour of UTC
	}
	if leap {
		t = t.Truncate(time.Second).Add(time.Second)
	}
	return t.UTC(), nil
}
