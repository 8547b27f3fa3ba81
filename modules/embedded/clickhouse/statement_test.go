package clickhouse

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStatementsAreToldApart(t *testing.T) {
	for text, want := range map[string]statement{
		"SELECT 1":                                  {kind: statementSelect, sql: "SELECT 1"},
		" -- a\n/* b */ select 1 ; -- c":            {kind: statementSelect, sql: " -- a\n/* b */ select 1 "},
		"SELECT 'FORMAT x; SELECT' FORMAT x":        {kind: statementSelect, sql: "SELECT 'FORMAT x; SELECT'  "},
		"SELECT 1 FORMAT JSON SETTINGS a = 1":       {kind: statementSelect, sql: "SELECT 1   SETTINGS a = 1"},
		"SELECT format FROM t ORDER BY format DESC": {kind: statementSelect, sql: "SELECT format FROM t ORDER BY format DESC"},
		"SELECT `format x` FROM t":                  {kind: statementSelect, sql: "SELECT `format x` FROM t"},
		"EXPLAIN SELECT 1":                          {kind: statementRead, sql: "EXPLAIN SELECT 1"},
		"SET a = 1":                                 {kind: statementSet, sql: "SET a = 1"},
		"USE x":                                     {kind: statementUse, sql: "USE x"},
		"KILL MUTATION WHERE 1 SYNC":                {kind: statementOther, sql: "KILL MUTATION WHERE 1 SYNC"},
		"CREATE TEMPORARY TABLE t (a Int8)":         {kind: statementOther, sql: "CREATE TEMPORARY TABLE t (a Int8)", temporary: true},
		"INSERT INTO t VALUES":                      {kind: statementInsert, sql: "INSERT INTO t ", target: "t"},
		"insert into db.`t t` (a, `b(`) SETTINGS x = '(' FORMAT Native;": {
			kind: statementInsert, sql: "insert into db.`t t` (a, `b(`) SETTINGS x = '(' ", target: "db.`t t`", columns: "a, `b(`",
		},
		"INSERT INTO t FORMAT Native SETTINGS a = 1":         {kind: statementInsert, sql: "INSERT INTO t  SETTINGS a = 1", target: "t"},
		"INSERT INTO TABLE FUNCTION null('a Int8') VALUES":   {kind: statementInsert, sql: "INSERT INTO TABLE FUNCTION null('a Int8') ", target: "null('a Int8')"},
		"INSERT INTO values VALUES":                          {kind: statementInsert, sql: "INSERT INTO values ", target: "values"},
		"INSERT INTO t VALUES (1)":                           {kind: statementWrite, sql: "INSERT INTO t VALUES (1)", target: "t", inline: true},
		"INSERT INTO t FORMAT CSV 1;2":                       {kind: statementWrite, sql: "INSERT INTO t FORMAT CSV 1;2", target: "t", inline: true},
		"INSERT INTO t (a) SELECT 1":                         {kind: statementWrite, sql: "INSERT INTO t (a) SELECT 1", target: "t", columns: "a"},
		"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x": {kind: statementWrite, sql: "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", target: "t"},
		"INSERT INTO t (SELECT 1)":                           {kind: statementWrite, sql: "INSERT INTO t (SELECT 1)", target: "t"},
		"INSERT INTO t SELECT 1 SETTINGS a = 1;":             {kind: statementWrite, sql: "INSERT INTO t SELECT 1 SETTINGS a = 1", target: "t"},
	} {
		got, err := parseStatement(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestStatementsThatOnlyAClientCanRunAreRefused(t *testing.T) {
	for text, code := range map[string]int{
		"": codeSyntaxError, ";": codeSyntaxError, "SELECT 1; SELECT 2": codeSyntaxError, "INSERT INTO t VALUES; SELECT 1": codeSyntaxError,
		"SELECT 1 INTO OUTFILE 'x'": codeNoOutfile, "INSERT INTO t SELECT 1 INTO OUTFILE 'x'": codeNoOutfile,
		"INSERT INTO t FROM INFILE 'x' FORMAT CSV": codeUnknownStatement,
		"KILL QUERY WHERE 1 SYNC":                  codeNotImplemented, "kill query where (a) /* x */ sync;": codeNotImplemented,
	} {
		_, err := parseStatement(text)
		require.True(t, hasCode(err, code), "%q: %v", text, err)
	}
}

func TestTheLexerReachesTheEndOfAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &lexer{text: rapid.StringOf(rapid.RuneFrom([]rune("aA1_.'\"`\\$-/*#( );,\n é\x00"))).Draw(t, "text")}
		end := 0
		for tok := l.next(); tok.kind != tokenEnd; tok = l.next() {
			require.GreaterOrEqual(t, tok.start, end)
			require.Greater(t, tok.end, tok.start)
			require.LessOrEqual(t, tok.end, len(l.text))
			end = tok.end
		}
	})
}

func FuzzStatement(f *testing.F) {
	for _, text := range []string{"SELECT 1 FORMAT x", "INSERT INTO a.b (c) VALUES", "KILL QUERY WHERE 1", "INSERT INTO FUNCTION f(1) (x) SELECT", "SELECT $a$ x $a$; --"} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		st, err := parseStatement(text)
		if err == nil && st.kind == statementInsert {
			splitColumns(st.columns)
		}
	})
}

func TestAnEnginesErrorIsSplitIntoCodeAndMessage(t *testing.T) {
	for text, want := range map[string]exception{
		"Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)":                                   {60, "Table x does not exist."},
		"Code: 469. DB::Exception: Constraint `c (x)` is violated. (VIOLATED_CONSTRAINT) (version 26.7.2.1)": {469, "Constraint `c (x)` is violated."},
		"Code: 33. DB::Exception: Cannot read. (CANNOT_READ_ALL_DATA) (version 26.7.2.1 (official build))":   {33, "Cannot read."},
		"Code: 395. DB::Exception: boo (HOO: x). (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)":                      {395, "boo (HOO: x)."},
		"Cannot run a query while a streaming insert is active":                                              {codeUnknownException, "Cannot run a query while a streaming insert is active"},
		"Code: many": {codeUnknownException, "Code: many"},
	} {
		require.Equal(t, &want, parseException(text))
	}
}
