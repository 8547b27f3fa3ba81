// Package documented holds documents to what they tell of: the runbook to the metrics that exist, the guides to
// commands that a test runs.
package documented

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Require compares the metrics of a registry whose names begin with the prefix with the entries under the heading
// that ends with "(`<prefix>…`)". file is the path of the runbook.
func Require(t *testing.T, file string, reg *prometheus.Registry, prefix string) {
	t.Helper()
	documented := entries(t, file, prefix)
	names := names(reg, prefix)
	require.GreaterOrEqual(t, len(names), 15)
	for _, name := range names {
		require.True(t, documented[name], "%s%s is not in %s", prefix, name, file)
		delete(documented, name)
	}
	require.Empty(t, documented, "in %s, but nowhere else", file)
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

// An entry is "- `name{labels}`, `name`: what to do", and may go on in the lines below.
var (
	entry  = regexp.MustCompile("(?m)^- ((?:`[^`]+`[, \\n]*)+): *\\S")
	metric = regexp.MustCompile("`(\\w+)(\\{[\\w,]+\\})?`")
)

// entries are the metrics that the section tells what to do about.
func entries(t *testing.T, file, prefix string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "(`"+prefix+"…`)\n")
	require.True(t, found, "%s has no section of %s", file, prefix)
	section, _, _ = strings.Cut(section, "\n#")
	documented := map[string]bool{}
	for _, item := range entry.FindAllStringSubmatch(section, -1) {
		for _, name := range metric.FindAllStringSubmatch(item[1], -1) {
			documented[name[1]] = true
		}
	}
	return documented
}
