package clickhouse

import "strings"

// The engine gives every query an id of its own, and the ids that clients chose travel in the tags. Statements that ask for running
// queries are rewritten, so that to a client query_id is what it sent and no tag shows.

// tagWord begins the tags; a number and the client's id follow.
const tagWord = "native-query-"

// tagText is the comment that marks the n-th query.
func tagText(number, clientID string) string {
	if !plainID(clientID) {
		clientID = "-"
	}
	return "/* " + tagWord + number + " " + clientID + " */"
}

// plainID says whether a query id can stand in a comment. Most are UUIDs.
func plainID(id string) bool {
	if id == "" || id[0] == '-' || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !isWordByte(c) && c != '-' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

// processesView is system.processes as clients know it, with the engine's ids beside.
func processesView() string {
	const pattern = `/\* ` + tagWord + `\d+ ([\w.:][\w.:-]*) \*/`
	const withTag = `\n?/\* ` + tagWord + `\d+ [^ ]* \*/ ?`
	clientID := "extract(p.query, " + quoteString(pattern) + ")"
	return "(SELECT p.query_id AS engine_query_id, * REPLACE (" +
		"if(" + clientID + " = '', p.query_id, " + clientID + ") AS query_id, " +
		"if(" + clientID + " = '', p.initial_query_id, " + clientID + ") AS initial_query_id, " +
		"replaceRegexpOne(p.query, " + quoteString(withTag) + ", '') AS query) FROM system.processes AS p)"
}

// rewriteProcesses makes a SELECT read processesView where it names system.processes as a table.
func rewriteProcesses(sql string) string {
	const columns = "(SELECT * EXCEPT (engine_query_id) FROM "
	var b strings.Builder
	written := 0
	l := &lexer{text: sql}
	var before, schema, dot token
	for t := l.next(); t.kind != tokenEnd; before, schema, dot, t = schema, dot, t, l.next() {
		if !l.is(t, "processes") || !l.is(dot, ".") || !l.is(schema, "system") || !l.isAny(before, "FROM", "JOIN", ",") {
			continue
		}
		b.WriteString(sql[written:schema.start] + columns + processesView() + ")")
		written = t.end
		if ahead := *l; !isAlias(&ahead, ahead.next()) {
			b.WriteString(" AS processes")
		}
	}
	return b.String() + sql[written:]
}

func isAlias(l *lexer, t token) bool {
	return t.kind == tokenQuoted || t.kind == tokenWord && !l.isAny(t, "WHERE", "PREWHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "SETTINGS", "FORMAT",
		"UNION", "INTERSECT", "EXCEPT", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "ANY", "ALL", "ON", "USING", "ARRAY", "WINDOW", "QUALIFY", "OFFSET", "SAMPLE", "FINAL", "GLOBAL", "ASOF", "SEMI", "ANTI", "INTO")
}

// rewriteKill makes the condition of a KILL QUERY see the queries as clients do.
func rewriteKill(sql string) string {
	l := &lexer{text: sql}
	from, to, depth := -1, len(sql), 0
	for t := l.next(); t.kind != tokenEnd; t = l.next() {
		switch {
		case l.is(t, "("):
			depth++
		case l.is(t, ")"):
			depth--
		case depth == 0 && from < 0 && l.is(t, "WHERE"):
			from = t.end
		case depth == 0 && from >= 0 && l.isAny(t, "ASYNC", "TEST"):
			to = min(to, t.start)
		}
	}
	if from < 0 {
		return sql
	}
	return sql[:from] + " query_id IN (SELECT engine_query_id FROM " + processesView() + " WHERE (" + sql[from:to] + "\n)) " + sql[to:]
}
