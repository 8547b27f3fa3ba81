package textcheck

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Want says what a client should have sent.
const Want = "want text in UTF-8, without NUL"

// IsText tells whether every server that we write to takes it as text.
func IsText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// AsText replaces what no server would take, where nobody is left who could be told.
func AsText(s string) string {
	if IsText(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
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
