package codec

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/feedrank/feedrank/modules/core"
)

// wantBatch ends what is said of a body that is no batch.
const wantBatch = `want {"events": [...]}`

// byteOrderMark begins what some editors write.
var byteOrderMark = []byte("\xef\xbb\xbf")

// malformed says which kind of bad JSON a body is, and where.
func malformed(body []byte, err error, at int) error {
	return &core.Error{Code: core.CodeMalformedJSON, Message: whyMalformed(body, err, at)}
}

func whyMalformed(body []byte, err error, at int) string {
	switch {
	case len(bytes.TrimLeft(body, " \t\r\n")) == 0:
		return "the body is empty: " + wantBatch
	case bytes.HasPrefix(body, byteOrderMark):
		return "the body begins with a byte order mark (the bytes EF BB BF): leave it out"
	}
	what := err.Error()
	if errors.Is(err, errSyntax) {
		if what = "it ends too early"; at < len(body) {
			r, _ := utf8.DecodeRune(body[at:])
			what = fmt.Sprintf("unexpected %q", r)
		}
	}
	line, column := 1+bytes.Count(body[:at], []byte{'\n'}), at-bytes.LastIndexByte(body[:at], '\n')
	return fmt.Sprintf("the body is not JSON (RFC 8259): %s, at line %d, column %d", what, line, column)
}

// notAnObject tells of JSON that is something else than an object; nil where it may be one.
func notAnObject(body []byte) error {
	s := scanner{data: body}
	kind := ""
	switch c := s.peek(); {
	case c == '[':
		kind = "a list"
	case c == '"':
		kind = "a string"
	case c == 'n':
		kind = "null"
	case c == 't' || c == 'f':
		kind = "true or false"
	case c == '-' || isDigit(c):
		kind = "a number"
	default:
		return nil
	}
	s.skip()
	if s.end(); s.err != nil {
		return malformed(body, s.err, s.at)
	}
	return &core.Error{Code: core.CodeMalformedJSON, Message: "the body is " + kind + ", not an object: " + wantBatch}
}
