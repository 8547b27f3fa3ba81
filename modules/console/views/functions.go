package views

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/weave"
)

// functions are what templates can call.
func functions(clock core.Clock) weave.Functions {
	return weave.Functions{
		"rfc":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
		"ago":      func(t time.Time) string { return Ago(clock.Now().Sub(t)) },
		"number":   number,
		"percent":  func(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + " %" },
		"width":    Width,
		"has":      func(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" },
		"json":     pretty,
		"link":     link,
		"dict":     dict,
		"plural":   Plural,
		"plural64": func(n int64, one, many string) string { return Plural(int(n), one, many) },
		"add":      func(a, b int) int { return a + b },
		"minus":    func(a int) int { return -a },
		"words":    func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"every":    func(ms int64) string { return Ago(time.Duration(ms) * time.Millisecond) },
	}
}

// Ago is a length of time in its largest units.
func Ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// number writes three digits that matter.
func number(f float64) string {
	switch size := math.Abs(f); {
	case size >= 100, f == math.Trunc(f):
		return strconv.FormatFloat(f, 'f', 0, 64)
	case size >= 1:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}

// Width of a bar: part of most, of a hundred.
func Width(part, most float64) string {
	if most <= 0 || math.IsNaN(part) {
		return "0"
	}
	return strconv.FormatFloat(100*min(1, max(0, part/most)), 'f', 1, 64)
}

// pretty is JSON for people; what is none, as it is.
func pretty(raw json.RawMessage) string {
	var out bytes.Buffer
	if len(raw) == 0 || string(raw) == "null" {
		return "–"
	}
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	return out.String()
}

// link is an address with parameters, of which empty ones are left out.
func link(to string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return to
	}
	return to + "?" + values.Encode()
}

// dict gives a template more than one value.
func dict(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok {
			out[name] = pairs[i+1]
		}
	}
	return out
}

// Plural is a number with its word.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
