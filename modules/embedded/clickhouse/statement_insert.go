package clickhouse

import "strings"

// parseInsert tells the forms of INSERT apart by what stands after the table and its columns, and finds where the part ends
// that the engine needs for an insert whose rows arrive as blocks. l stands after the word INSERT.
func parseInsert(l *lexer) (statement, error) {
	st := statement{kind: statementWrite, sql: l.text}
	t := l.next()
	if l.is(t, "INTO") {
		t = l.next()
	}
	if after := *l; l.is(t, "TABLE") {
		// TABLE is optional, and may also be the table's name.
		if next := l.next(); next.kind == tokenWord && !l.isAny(next, "VALUES", "FORMAT", "SELECT", "WITH", "SETTINGS") || next.kind == tokenQuoted {
			t = next
		} else {
			*l = after
		}
	}
	targetStart, targetEnd := t.start, t.end
	if l.is(t, "FUNCTION") {
		name := l.next()
		t = l.next()
		targetEnd = skipParentheses(l, t)
		st.target = l.text[name.start:targetEnd]
		t = l.next()
	} else {
		for t = l.next(); l.is(t, "."); t = l.next() {
			targetEnd = l.next().end
		}
		st.target = l.text[targetStart:targetEnd]
	}
	if l.is(t, "(") {
		inner := *l
		if first := inner.next(); !inner.isAny(first, "SELECT", "WITH") {
			start := t.end
			end := skipParentheses(l, t)
			st.columns = strings.TrimSpace(l.text[start:max(start, end-1)])
			t = l.next()
		}
	}
	return parseInsertSource(l, st, t)
}

// parseInsertSource reads from where the rows come; t is the token after the table and columns.
func parseInsertSource(l *lexer, st statement, t token) (statement, error) {
	for ; t.kind != tokenEnd; t = l.next() {
		switch {
		case l.is(t, "("):
			skipParentheses(l, t)
		case l.is(t, "FROM"), l.is(t, "COMPRESSION"):
			if next := *l; next.is(next.next(), "INFILE") || l.is(t, "COMPRESSION") {
				return st, exceptionf(codeUnknownStatement, "Query has infile and was send directly to server")
			}
		case l.isAny(t, "SELECT", "WITH"):
			rest := statement{kind: statementOther}
			if err := rest.scan(l, t); err != nil {
				return st, err
			}
			st.sql = rest.sql
			return st, nil
		case l.is(t, "VALUES"):
			return blocksOrInline(l, st, t.start)
		case l.is(t, "FORMAT"):
			l.next()
			return blocksOrInline(l, st, t.start)
		}
	}
	return st, nil
}

// blocksOrInline decides whether the rows stand in the text after VALUES or FORMAT x, or are to arrive as blocks.
func blocksOrInline(l *lexer, st statement, clauseStart int) (statement, error) {
	t := l.next()
	settings := ""
	if l.is(t, "SETTINGS") {
		// Settings may also stand after the format.
		start := t.start
		for t = l.next(); t.kind != tokenEnd && !l.is(t, ";"); t = l.next() {
			if l.is(t, "(") || l.is(t, "{") || l.is(t, "[") {
				break
			}
		}
		settings = " " + l.text[start:t.start]
	}
	if t.kind != tokenEnd && !l.is(t, ";") {
		st.inline = true
		return st, nil
	}
	if l.is(t, ";") {
		if err := onlyEndFollows(l, t); err != nil {
			return st, err
		}
	}
	st.kind = statementInsert
	st.sql = l.text[:clauseStart] + settings
	return st, nil
}

// skipParentheses returns where the parentheses that open at t are closed; l goes on from there.
func skipParentheses(l *lexer, t token) int {
	if !l.is(t, "(") {
		return t.start
	}
	for depth := 1; depth > 0; {
		t = l.next()
		switch {
		case t.kind == tokenEnd:
			return t.end
		case l.is(t, "("):
			depth++
		case l.is(t, ")"):
			depth--
		}
	}
	return t.end
}

// splitColumns splits a list of column names; plain is false if it holds anything else, such as * EXCEPT (x).
func splitColumns(list string) (names []string, plain bool) {
	l := &lexer{text: list}
	name := ""
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		switch {
		case t.kind == tokenWord:
			name += l.text[t.start:t.end]
		case t.kind == tokenQuoted:
			name += unquote(l.text[t.start:t.end])
		case l.is(t, "."):
			name += "."
		case l.is(t, ","):
			names = append(names, name)
			name = ""
		default:
			return nil, false
		}
	}
	if name != "" {
		names = append(names, name)
	}
	return names, true
}
