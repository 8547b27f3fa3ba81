package httpserver

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
)

// Query reads the parameters of a request strictly: a name that the call does not know, a name given
// twice, a value that is no text or one out of range is an error that names it. The first error is kept.
type Query struct {
	ctx    context.Context //nolint:containedctx // of the request that it reads, and no longer
	values url.Values
	err    error
}

// NewQuery parses the query string; allowed are the names that the call knows.
func NewQuery(c echo.Context, allowed ...string) *Query {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	q := &Query{ctx: c.Request().Context(), values: values}
	if err != nil {
		q.err = core.Errorf(core.CodeInvalidRequest, "the query string does not parse")
		return q
	}
	for name, given := range values {
		if !slices.Contains(allowed, name) {
			q.fail(name, "unknown parameter; known are: %s", strings.Join(allowed, ", "))
		} else if len(given) > 1 {
			q.fail(name, "given more than once")
		} else if !textcheck.IsText(given[0]) {
			q.fail(name, textcheck.Want)
		}
	}
	return q
}

// Err is the first problem found.
func (q *Query) Err() error { return q.err }

// Has tells whether a parameter was given, even if empty.
func (q *Query) Has(name string) bool { return q.values.Has(name) }

// String is a parameter as text, at most most bytes long.
func (q *Query) String(name string, most int) string {
	s := q.values.Get(name)
	if len(s) > most {
		q.fail(name, "longer than %d bytes", most)
		return ""
	}
	return s
}

// Int is a number from least to most, or fallback where it is not given.
func (q *Query) Int(name string, least, most, fallback int) int {
	if !q.values.Has(name) {
		return fallback
	}
	n, err := strconv.Atoi(q.values.Get(name))
	if err != nil || n < least || n > most {
		q.fail(name, "want a number from %d to %d", least, most)
		return fallback
	}
	return n
}

// OneOf is one of the choices, or the first where it is not given.
func (q *Query) OneOf(name string, choices ...string) string {
	if !q.values.Has(name) {
		return choices[0]
	}
	s := q.values.Get(name)
	if !slices.Contains(choices, s) {
		q.fail(name, "want one of: %s", strings.Join(choices, ", "))
		return choices[0]
	}
	return s
}

// List is a parameter of texts that commas part: at most most, each of at most size bytes; none where it is not given.
func (q *Query) List(name string, most, size int) []string {
	if !q.values.Has(name) {
		return nil
	}
	texts := strings.Split(q.values.Get(name), ",")
	if len(texts) > most {
		q.fail(name, "want at most %d, parted by commas", most)
		return nil
	}
	for _, text := range texts {
		if text == "" || len(text) > size {
			q.fail(name, "want texts of 1 to %d bytes, parted by commas", size)
			return nil
		}
	}
	return texts
}

// Time is a time as RFC 3339 has it, or nil where it is not given.
func (q *Query) Time(name string) *time.Time {
	if !q.values.Has(name) {
		return nil
	}
	at, err := ParseTime(q.values.Get(name))
	if err != nil {
		q.fail(name, "%s", err)
		return nil
	}
	return &at
}

// ParseTime reads a time of a query string, where a + that was not escaped has become a space.
func ParseTime(text string) (time.Time, error) {
	if at := len(text) - len(" 00:00"); at > 0 && text[at] == ' ' {
		text = text[:at] + "+" + text[at+1:]
	}
	return core.ParseTime(text)
}

// Bool is true or false, 1 or 0; false where it is not given.
func (q *Query) Bool(name string) bool {
	switch s := q.values.Get(name); {
	case !q.values.Has(name), s == "false", s == "0":
		return false
	case s == "true", s == "1", s == "":
		return true
	default:
		q.fail(name, "want true or false")
		return false
	}
}

// Key is the number of a key as read understands it, or zero where it is not given.
func (q *Query) Key(name string, read func(context.Context, string) (core.ID, error)) core.ID {
	if !q.values.Has(name) {
		return 0
	}
	id, err := read(q.ctx, q.values.Get(name))
	if err != nil {
		q.fail(name, "%s", err)
	}
	return id
}

func (q *Query) fail(name, format string, args ...any) {
	if q.err == nil {
		if len(name) > 64 {
			name = name[:64]
		}
		q.err = core.InvalidField(textcheck.AsText(name), format, args...)
	}
}
