package codec

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str consumes a string and returns it without quotes and escapes. Without escapes the result is a
// part of the data; otherwise it stands in a buffer that grows, so that earlier results stay valid.
func (s *scanner) str() []byte {
	if !s.take('"') {
		s.fail(errSyntax)
		return nil
	}
	start, ascii := s.pos, true
	for i := s.pos; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			text := s.data[start:i]
			if !ascii && !utf8.Valid(text) {
				s.pos = start
				s.fail(errUTF8)
			}
			return text
		case c == '\\':
			s.pos = i
			return s.escaped(start)
		case c < ' ':
			s.pos = i
			s.fail(errControl)
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	s.pos = len(s.data)
	s.fail(errSyntax)
	return nil
}

// escaped goes on at the first backslash of a string that began at start.
func (s *scanner) escaped(start int) []byte {
	from := len(s.buf)
	s.buf = append(s.buf, s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		s.pos++
		switch {
		case c == '"':
			text := s.buf[from:len(s.buf):len(s.buf)]
			if !utf8.Valid(text) {
				s.pos = start
				s.fail(errUTF8)
			}
			return text
		case c == '\\':
			if !s.escape() {
				s.pos--
				s.fail(errEscape)
				return nil
			}
		case c < ' ':
			s.pos--
			s.fail(errControl)
			return nil
		default:
			s.buf = append(s.buf, c)
		}
	}
	s.fail(errSyntax)
	return nil
}

func (s *scanner) escape() bool {
	if s.pos >= len(s.data) {
		return false
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		return false
	}
	s.buf = append(s.buf, c)
	return true
}

// unicode undoes \uXXXX and pairs of surrogates; half a pair becomes U+FFFD, as in encoding/json.
func (s *scanner) unicode() bool {
	r, ok := s.hex4(s.pos)
	if !ok {
		return false
	}
	s.pos += 4
	if utf16.IsSurrogate(r) {
		pair := rune(utf8.RuneError)
		if s.pos+1 < len(s.data) && s.data[s.pos] == '\\' && s.data[s.pos+1] == 'u' {
			if low, ok := s.hex4(s.pos + 2); ok {
				pair = utf16.DecodeRune(r, low)
			}
		}
		if r = pair; r != utf8.RuneError {
			s.pos += 6
		}
	}
	s.buf = utf8.AppendRune(s.buf, r)
	return true
}

func (s *scanner) hex4(at int) (rune, bool) {
	if at+4 > len(s.data) {
		return 0, false
	}
	var r rune
	for _, c := range s.data[at : at+4] {
		digit, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
