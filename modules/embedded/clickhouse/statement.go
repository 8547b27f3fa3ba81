package clickhouse

type statementKind uint8

const (
	statementOther  statementKind = iota // run at once, its result small or none; may change the schema
	statementSelect                      // streamed
	statementRead                        // run at once, changes nothing: SHOW, DESCRIBE, EXPLAIN, ...
	statementInsert                      // INSERT whose rows follow as blocks
	statementWrite                       // INSERT with its rows in the text or from a SELECT
	statementSet                         // SET: changes the session
	statementUse                         // USE: changes the session
	statementKill                        // KILL QUERY
)

// statement is what the front must know of a query to run it. The engine's own parser does the rest.
type statement struct {
	kind statementKind
	// sql is the text for the engine: one statement without FORMAT clause and final semicolon.
	sql string
	// target and columns are of an INSERT: `db.table` or `FUNCTION f(x)`, and what is in the parentheses, if any.
	target, columns string
	// inline says that the text ends in rows, so nothing may be added after it.
	inline bool
	// temporary says that it may create a temporary table.
	temporary bool
	// observes says that it asks for running queries, so it should not have to wait for them.
	observes bool
}

// parseStatement finds out what kind of statement text holds. Like the server it accepts only one.
func parseStatement(text string) (statement, error) {
	l := &lexer{text: text}
	first := l.next()
	st := statement{kind: statementOther, sql: text}
	switch {
	case first.kind == tokenEnd || l.is(first, ";"):
		return st, exceptionf(codeSyntaxError, "Syntax error: failed at position 1 (end of query): Empty query")
	case l.is(first, "INSERT"):
		return parseInsert(l)
	case l.isAny(first, "SELECT", "WITH", "FROM", "("):
		st.kind = statementSelect
	case l.isAny(first, "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "OPTIMIZE"):
		st.kind = statementRead
	case l.is(first, "SET"):
		st.kind = statementSet
	case l.is(first, "USE"):
		st.kind = statementUse
	case l.is(first, "KILL"):
		st.kind = statementKill
	}
	if err := st.scan(l, first); err != nil {
		return st, err
	}
	switch {
	case st.kind == statementKill:
		st.sql = rewriteKill(st.sql)
	case st.kind == statementSelect && st.observes:
		st.sql = rewriteProcesses(st.sql)
	}
	return st, nil
}

// scan reads the rest of the statement for what must be taken out, refused, or remembered.
func (st *statement) scan(l *lexer, first token) error {
	var before, prev, formatName token
	depth, end, formatAt := 0, len(l.text), -1
	if st.kind == statementKill {
		st.kind = statementOther // until QUERY follows: mutations are killed too
	}
	for t := first; t.kind != tokenEnd; before, prev, t = prev, t, l.next() {
		switch {
		case l.is(t, "("):
			depth++
		case l.is(t, ")"):
			depth--
		case l.is(t, ";"):
			if err := onlyEndFollows(l, t); err != nil {
				return err
			}
			end = t.start
		case t.kind != tokenWord:
		case l.is(prev, "INTO") && l.is(t, "OUTFILE"):
			return exceptionf(codeNoOutfile, "INTO OUTFILE is not allowed")
		case l.is(t, "TEMPORARY"):
			st.temporary = true
		case l.is(prev, ".") && l.is(t, "processes"), l.is(t, "PROCESSLIST"):
			st.observes = true
		case prev == first && l.is(first, "KILL") && l.is(t, "QUERY"):
			st.kind = statementKill
		case st.kind == statementKill && depth == 0 && l.is(t, "SYNC"):
			return exceptionf(codeNotImplemented, "KILL QUERY ... SYNC is not supported by the embedded engine, where it never returns: "+
				"use ASYNC and wait until the query has left system.processes")
		case depth == 0 && l.is(prev, "FORMAT") && isFormatName(l, before, t):
			formatAt, formatName = prev.start, t
		}
	}
	st.sql = l.text[:end]
	if formatAt >= 0 {
		// The protocol has one format; a client that names another means to convert to it itself.
		if rest := l.text[formatName.end:end]; endsOrSets(rest) {
			st.sql = l.text[:formatAt] + " " + rest
		}
	}
	return nil
}

// onlyEndFollows refuses a second statement after a semicolon.
func onlyEndFollows(l *lexer, semicolon token) error {
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		if !l.is(t, ";") {
			return exceptionf(codeSyntaxError, "Syntax error (Multi-statements are not allowed): failed at position %d (end of query)", semicolon.start+1)
		}
	}
	return nil
}

// isFormatName tells FORMAT x, the clause, from a column or a table that is called format.
func isFormatName(l *lexer, before, name token) bool {
	if l.isAny(name, "SETTINGS", "ASC", "DESC", "NULLS", "FROM", "WHERE", "AS", "FINAL", "ON", "USING", "AND", "OR") {
		return false
	}
	if before.kind == tokenSymbol && !l.isAny(before, ")", "*", "]", "}") || before.kind == tokenEnd {
		return false
	}
	return !l.isAny(before, "SELECT", "BY", "FROM", "WHERE", "AS", "AND", "OR", "NOT", "JOIN", "ON", "PREWHERE", "HAVING", "LIMIT", "WITH", "TABLE", "DISTINCT")
}

// endsOrSets says whether nothing but a SETTINGS clause follows.
func endsOrSets(rest string) bool {
	l := &lexer{text: rest}
	t := l.next()
	return t.kind == tokenEnd || l.is(t, "SETTINGS")
}
