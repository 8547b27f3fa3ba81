package sql_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/sql"
)

var comment = regexp.MustCompile(`--[^\n]*`)

// TestNoRemovalHasAQueryWithinAQuery holds what a server with one thread and the old analyzer would wait for for ever.
func TestNoRemovalHasAQueryWithinAQuery(t *testing.T) {
	files, err := fs.Glob(sql.Files(), "clickhouse/queries/*.sql")
	require.NoError(t, err)
	removals := 0
	for _, file := range files {
		text := comment.ReplaceAllString(sql.ClickHouse(strings.TrimSuffix(path.Base(file), ".sql")), "")
		if !strings.HasPrefix(strings.TrimSpace(text), "ALTER TABLE") {
			continue
		}
		removals++
		require.LessOrEqual(t, deepest(text), 1, file)
	}
	require.Positive(t, removals)
}

// deepest is how many queries of a statement stand within each other.
func deepest(statement string) (most int) {
	var open []bool // of each parenthesis, whether a query stands in it
	depth := 0
	for i := range len(statement) {
		switch statement[i] {
		case '(':
			query := strings.HasPrefix(strings.TrimSpace(statement[i+1:]), "SELECT")
			if open = append(open, query); query {
				depth++
				most = max(most, depth)
			}
		case ')':
			if open[len(open)-1] {
				depth--
			}
			open = open[:len(open)-1]
		}
	}
	return most
}
