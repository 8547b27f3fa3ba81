package httpserver

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/feedrank/feedrank/modules/core"
)

// Text of clients ends up in PostgreSQL, whose text and jsonb take neither a NUL nor what is no UTF-8. It is
// refused here: paths and bodies before a handler, parameters by NewQuery, and the subject of a token by authorize.
const wantText = "want text in UTF-8, without NUL"

// IsText tells whether every server that we write to takes it as text.
func IsText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// AsText replaces what no server would take, where nobody is left who could be told.
func AsText(s string) string {
	if IsText(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// refuseNoText looks at the path, and at the body unless the handler says which part of it is wrong.
func refuseNoText(route Route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !IsText(c.Request().URL.Path) {
				return core.InvalidField("path", wantText)
			}
			body, here := c.Request().Body.(arrived)
			if here && !route.InParts && !IsJSONText(body.whole) {
				return core.Errorf(core.CodeMalformedJSON, "the body holds a NUL, or bytes that are no UTF-8: %s",
					wantText)
			}
			return next(c)
		}
	}
}

// IsJSONText tells whether all strings of a JSON text are text, also those that are written with \u0000.
func IsJSONText(body []byte) bool {
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return false
	}
	for at := 0; ; {
		next := bytes.Index(body[at:], []byte(`\u0000`))
		if next < 0 {
			return true
		}
		at += next
		before := body[:at]
		if (len(before)-len(bytes.TrimRight(before, `\`)))%2 == 0 { // else the backslash itself is escaped
			return false
		}
		at++
	}
}
