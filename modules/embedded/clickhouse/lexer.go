package clickhouse

import "strings"

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a bare word: keyword or identifier
	tokenQuoted           // a quoted identifier
	tokenString           // a string literal
	tokenNumber
	tokenSymbol // one byte of anything else
)

// token is a piece of a statement. Comments and white space are between tokens.
type token struct {
	kind       tokenKind
	start, end int
}

// lexer splits a statement as ClickHouse's does, as far as it takes to know where a word is a word and not part of a string,
// a comment or a quoted name.
type lexer struct {
	text string
	pos  int
	// unclosed says that a heredoc does not end. No statement with one is valid, so it is not worth to look for another: that
	// would read the text again and again.
	unclosed bool
}

func (l *lexer) next() token {
	l.skipBlanks()
	start := l.pos
	if start >= len(l.text) {
		return token{tokenEnd, len(l.text), len(l.text)}
	}
	switch c := l.text[start]; {
	case isWordStart(c):
		l.pos++
		for l.pos < len(l.text) && isWordByte(l.text[l.pos]) {
			l.pos++
		}
		return token{tokenWord, start, l.pos}
	case c >= '0' && c <= '9':
		l.number()
		return token{tokenNumber, start, l.pos}
	case c == '\'':
		l.quoted(c)
		return token{tokenString, start, l.pos}
	case c == '`' || c == '"':
		l.quoted(c)
		return token{tokenQuoted, start, l.pos}
	case c == '$':
		if l.heredoc() {
			return token{tokenString, start, l.pos}
		}
	}
	l.pos = start + 1
	return token{tokenSymbol, start, l.pos}
}

func (l *lexer) skipBlanks() {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == 0:
			l.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				l.pos += i + 1
			} else {
				l.pos = len(l.text)
			}
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				l.pos += i + 4
			} else {
				l.pos = len(l.text)
			}
		default:
			return
		}
	}
}

// number also takes a word that begins with a digit, which cannot be a keyword.
func (l *lexer) number() {
	for l.pos < len(l.text) && (isWordByte(l.text[l.pos]) || l.text[l.pos] == '.') {
		l.pos++
	}
}

// quoted ends after the closing quote, or with the text; a quote is escaped by a backslash or by doubling it.
func (l *lexer) quoted(quote byte) {
	for l.pos++; l.pos < len(l.text); l.pos++ {
		switch l.text[l.pos] {
		case '\\':
			l.pos++
		case quote:
			if l.pos+1 < len(l.text) && l.text[l.pos+1] == quote {
				l.pos++
				continue
			}
			l.pos++
			return
		}
	}
	l.pos = len(l.text)
}

// heredoc takes $tag$ ... $tag$.
func (l *lexer) heredoc() bool {
	rest := l.text[l.pos:]
	i := 1
	for i < len(rest) && isWordByte(rest[i]) {
		i++
	}
	if l.unclosed || i >= len(rest) || rest[i] != '$' {
		return false
	}
	tag := rest[:i+1]
	end := strings.Index(rest[len(tag):], tag)
	if end < 0 {
		l.unclosed = true
		return false
	}
	l.pos += len(tag) + end + len(tag)
	return true
}

// is says whether t is the given keyword or symbol.
func (l *lexer) is(t token, word string) bool {
	return (t.kind == tokenWord || t.kind == tokenSymbol) && strings.EqualFold(l.text[t.start:t.end], word)
}

// isAny says whether t is one of the given keywords.
func (l *lexer) isAny(t token, words ...string) bool {
	for _, w := range words {
		if l.is(t, w) {
			return true
		}
	}
	return false
}

func isWordStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isWordByte(c byte) bool { return isWordStart(c) || c >= '0' && c <= '9' }
