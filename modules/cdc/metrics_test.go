package cdc_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// metricsOf lists every metric that the source, the consumer and comparisons register.
func metricsOf(t *testing.T) []string {
	t.Helper()
	reg := prometheus.NewRegistry()
	_, err := cdc.NewSource(cdc.DefaultConfig(), kafka.DefaultConfig(), source.Params{Postgres: postgres.DefaultConfig(), Clock: core.SystemClock{}, Log: zaptest.NewLogger(t), Registerer: reg})
	require.NoError(t, err)
	_, err = cdc.NewConsumer(cdc.Params{Config: cdc.DefaultConfig(), Clock: core.SystemClock{}, Log: zaptest.NewLogger(t), Registerer: reg})
	require.NoError(t, err)
	_, err = cdc.NewResync(cdc.DefaultConfig(), kafka.DefaultConfig(), nil, nil, nil, reg)
	require.NoError(t, err)
	descriptions := make(chan *prometheus.Desc, 1000)
	reg.Describe(descriptions)
	close(descriptions)
	var names []string
	for d := range descriptions {
		names = append(names, regexp.MustCompile(`fqName: "feedrank_cdc_(\w+)"`).FindStringSubmatch(d.String())[1])
	}
	return names
}

func TestEveryMetricIsDocumentedWithWhatToDoWhenItRises(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "| metric (`feedrank_cdc_…`)")
	table, _, _ = strings.Cut(table, "\n###")
	documented := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 4 || strings.TrimSpace(cells[2]) == "" {
			continue
		}
		for _, name := range regexp.MustCompile("`(\\w+)(\\{[\\w,]+\\})?`").FindAllStringSubmatch(cells[1], -1) {
			documented[name[1]] = true
		}
	}
	names := metricsOf(t)
	require.GreaterOrEqual(t, len(names), 15)
	for _, name := range names {
		require.True(t, documented[name], "feedrank_cdc_%s is not in ARCHITECTURE.md", name)
		delete(documented, name)
	}
	require.Empty(t, documented, "in ARCHITECTURE.md, but nowhere else")
}
