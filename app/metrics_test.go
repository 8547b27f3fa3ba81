package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
)

// ours is a metric's name in an expression, and the name of a label that is asked for.
var (
	ours     = regexp.MustCompile(`feedrank_[a-z0-9_]+…?`) // with … it is the beginning of many names
	selected = regexp.MustCompile(`(feedrank_[a-z0-9_]+)\{([^}]*)\}`)
	suffix   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

func TestAlertsDashboardsAndTheRunbookAskForMetricsThatExist(t *testing.T) {
	cfg := config.Default()
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	all, err := Metrics(cfg)
	require.NoError(t, err)
	labels := map[string][]string{}
	for _, m := range all {
		require.NotEmpty(t, m.Help, m.Name)
		labels[m.Name] = m.Labels
	}
	named := func(name string) string {
		if _, ok := labels[name]; ok {
			return name
		}
		return suffix.ReplaceAllString(name, "")
	}
	asked := map[string]bool{}
	for _, pattern := range []string{"prometheus/*.yml", "prometheus/*.md", "grafana/dashboards/*.json"} {
		files, err := filepath.Glob(filepath.Join("..", "config", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, name := range ours.FindAllString(string(text), -1) {
				if strings.HasSuffix(name, "…") {
					continue
				}
				_, exists := labels[named(name)]
				require.True(t, exists, "%s asks for %s", file, name)
				asked[named(name)] = true
			}
			for _, match := range selected.FindAllStringSubmatch(string(text), -1) {
				for matcher := range strings.SplitSeq(match[2], ",") {
					label, _, _ := strings.Cut(strings.TrimSpace(matcher), "=")
					if label == "instance" || label == "le" && strings.HasSuffix(match[1], "_bucket") {
						continue // Prometheus' own
					}
					require.Contains(t, labels[named(match[1])], label, "%s: %s", file, match[0])
				}
			}
		}
	}
	cdc := 0
	for name := range asked {
		if strings.HasPrefix(name, "feedrank_cdc_") {
			cdc++
		}
	}
	require.GreaterOrEqual(t, cdc, 15, "the copying has at least 15 metrics that somebody looks at")
}
