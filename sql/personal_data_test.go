package sql_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/sql"
)

var (
	created = regexp.MustCompile(`(?ms)^CREATE TABLE IF NOT EXISTS (?:feedrank\.)?(\w+) \((.*?)^\)(.*?);`)
	text    = regexp.MustCompile(`(?m)^\s+(\w+)\s+(?:LowCardinality\(String\)|String|Nullable\(String\))`)
	ttl     = regexp.MustCompile(`(?m)^TTL .* INTERVAL (\d+) DAY`)
)

// documented are the rows of the table in the documents, by their first cell, without backticks.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("../config/personal-data.md")
	require.NoError(t, err)
	rows := map[string][]string{}
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(cells[i]), "`", "")
		}
		rows[cells[0]] = cells
	}
	return rows
}

// schema calls f with each table of the migrations: its columns, and what follows them.
func schema(t *testing.T, folder string, f func(name, columns, rest string)) {
	t.Helper()
	paths, err := fs.Glob(sql.Files(), folder+"/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		body, err := fs.ReadFile(sql.Files(), path)
		require.NoError(t, err)
		for _, m := range created.FindAllStringSubmatch(string(body), -1) {
			f(m[1], m[2], m[3])
		}
	}
}

func TestWhatIsKeptOfPeopleIsDocumentedWithForHowLong(t *testing.T) {
	rows := documented(t)
	schema(t, "clickhouse/migrations", func(name, columns, rest string) {
		row := rows[name]
		if !assertRow(t, name, row, 4) {
			return
		}
		for _, column := range text.FindAllStringSubmatch(columns, -1) {
			require.Contains(t, strings.Split(row[2], ", "), column[1],
				"text column of %s: say in config/personal-data.md what it holds", name)
		}
		if days := ttl.FindStringSubmatch(rest); days != nil {
			require.Equal(t, days[1]+" days", row[3], name)
		} else {
			require.NotContains(t, row[3], " days", name)
		}
	})
	schema(t, "postgres/migrations", func(name, _, _ string) { assertRow(t, name, rows[name], 3) })
}

func assertRow(t *testing.T, name string, row []string, cells int) bool {
	t.Helper()
	if len(row) != cells {
		t.Errorf("table %s is not in config/personal-data.md: say what it holds of whom, and for how long", name)
		return false
	}
	return true
}
