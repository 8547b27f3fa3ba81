// Package documented holds ARCHITECTURE.md to the metrics that exist: each has a row that says what to do
// when it rises.
package documented

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Require compares the metrics of a registry whose names begin with the prefix with the rows of the table
// that is headed "metric (`<prefix>…`)". file is the path of ARCHITECTURE.md.
func Require(t *testing.T, file string, reg *prometheus.Registry, prefix string) {
	t.Helper()
	documented := rows(t, file, prefix)
	names := names(reg, prefix)
	require.GreaterOrEqual(t, len(names), 15)
	for _, name := range names {
		require.True(t, documented[name], "%s%s is not in ARCHITECTURE.md", prefix, name)
		delete(documented, name)
	}
	require.Empty(t, documented, "in ARCHITECTURE.md, but nowhere else")
}

// names lists the metrics without their prefix.
func names(reg *prometheus.Registry, prefix string) (all []string) {
	descriptions := make(chan *prometheus.Desc, 1000)
	reg.Describe(descriptions)
	close(descriptions)
	name := regexp.MustCompile(`fqName: "` + prefix + `(\w+)"`)
	for d := range descriptions {
		if found := name.FindStringSubmatch(d.String()); found != nil {
			all = append(all, found[1])
		}
	}
	return all
}

// rows are the metrics that the table tells what to do about.
func rows(t *testing.T, file, prefix string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "| metric (`"+prefix+"…`)")
	table, _, _ = strings.Cut(table, "\n#")
	found := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 4 || strings.TrimSpace(cells[2]) == "" {
			continue
		}
		for _, name := range regexp.MustCompile("`(\\w+)(\\{[\\w,]+\\})?`").FindAllStringSubmatch(cells[1], -1) {
			found[name[1]] = true
		}
	}
	return found
}
