package codec

import "errors"

// scanner reads JSON (RFC 8259) from bytes, without reflection and without allocating for what has no
// escapes in it. It is as strict as encoding/json and refuses invalid UTF-8 besides, so that what we
// store can always be read. Once it has failed it stays failed: callers check err at the end.
type scanner struct {
	data []byte
	pos  int
	err  error
	at   int    // where it failed
	buf  []byte // strings with escapes, undone
}

var (
	errSyntax  = errors.New("not JSON")
	errDepth   = errors.New("nested too deeply")
	errComma   = errors.New("a comma before the end of a list or an object")
	errUTF8    = errors.New("a string that is not UTF-8")
	errControl = errors.New("a control character in a string")
	errEscape  = errors.New("an escape that JSON does not have")
	errMore    = errors.New("something behind its end")
)

// maxDepth bounds recursion over what clients send. Ours nests two levels.
const maxDepth = 32

// reset starts anew with other data. The buffer is not used again: strings may still be parts of it.
func (s *scanner) reset(data []byte) { *s = scanner{data: data} }

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err, s.at = err, min(s.pos, len(s.data))
	}
	s.pos = len(s.data)
}

// peek is the first byte of the next value or punctuation; 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() == c && s.pos < len(s.data) {
		s.pos++
		return true
	}
	return false
}

// end checks that nothing follows.
func (s *scanner) end() {
	if s.err == nil && (s.peek() != 0 || s.pos < len(s.data)) {
		s.fail(errMore)
	}
}

// members calls f for each member of the object that comes next; f consumes the value. The name is
// valid during the call only.
func (s *scanner) members(f func(name []byte)) {
	if !s.take('{') {
		s.fail(errSyntax)
		return
	}
	if s.take('}') {
		return
	}
	for s.err == nil {
		name := s.str()
		if !s.take(':') {
			s.fail(errSyntax)
			return
		}
		f(name)
		if s.take('}') {
			return
		}
		s.comma('}')
	}
}

// elements calls f for each element of the array that comes next; f consumes the value.
func (s *scanner) elements(f func()) {
	if !s.take('[') {
		s.fail(errSyntax)
		return
	}
	if s.take(']') {
		return
	}
	for s.err == nil {
		f()
		if s.take(']') {
			return
		}
		s.comma(']')
	}
}

// comma consumes the comma that parts two members, or two elements.
func (s *scanner) comma(end byte) {
	if !s.take(',') {
		s.fail(errSyntax)
	} else if s.peek() == end {
		s.fail(errComma)
	}
}

// skip consumes any value.
func (s *scanner) skip() { s.skipAt(0) }

func (s *scanner) skipAt(depth int) {
	if depth > maxDepth {
		s.fail(errDepth)
		return
	}
	switch c := s.peek(); {
	case c == '{':
		s.members(func([]byte) { s.skipAt(depth + 1) })
	case c == '[':
		s.elements(func() { s.skipAt(depth + 1) })
	case c == '"':
		s.str()
	case c == '-' || isDigit(c):
		s.number()
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	default:
		s.literal("null")
	}
}

func (s *scanner) literal(word string) {
	if s.peek() == word[0] && len(s.data)-s.pos >= len(word) && string(s.data[s.pos:s.pos+len(word)]) == word {
		s.pos += len(word)
		return
	}
	s.fail(errSyntax)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number consumes a number and returns its text.
func (s *scanner) number() []byte {
	s.peek()
	start := s.pos
	s.takeHere('-')
	if !s.takeHere('0') && !s.digits() {
		return nil
	}
	if s.takeHere('.') && !s.digits() {
		return nil
	}
	if s.takeHere('e') || s.takeHere('E') {
		if !s.takeHere('+') {
			s.takeHere('-')
		}
		if !s.digits() {
			return nil
		}
	}
	return s.data[start:s.pos]
}

// takeHere is take without leave for space.
func (s *scanner) takeHere(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && isDigit(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail(errSyntax)
		return false
	}
	return true
}
