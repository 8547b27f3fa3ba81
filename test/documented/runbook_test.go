package documented

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const runbookURL = "https://github.com/feedrank/feedrank/blob/main/config/prometheus/runbook.md#"

// section is one alert of the runbook: its name, meaning, what to look at and what to do.
var section = regexp.MustCompile(
	`(?m)^## (\w+)\n\n- \*\*Meaning\*\*: \S[^*]+\n- \*\*Look at\*\*: \S[^*]+\n- \*\*Do\*\*: \S[^*]+?\n\n`)

func TestEveryAlertHasItsSectionInTheRunbookAndPointsToIt(t *testing.T) {
	book, err := os.ReadFile(filepath.Join(root, "config", "prometheus", "runbook.md"))
	require.NoError(t, err)
	var sections []string
	for _, found := range section.FindAllStringSubmatch(string(book), -1) {
		sections = append(sections, found[1])
	}
	var alerts []string
	for _, rule := range rules(t) {
		if rule.Alert == "" {
			continue // it records
		}
		alerts = append(alerts, rule.Alert)
		require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["do"], rule.Alert)
		require.Equal(t, runbookURL+strings.ToLower(rule.Alert), rule.Annotations["runbook_url"])
	}
	require.NotEmpty(t, alerts)
	require.Equal(t, alerts, sections, "a section for each alert, in the order of alerts.yml, with all three parts")
}
