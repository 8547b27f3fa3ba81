package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/metrics"
)

// TestEveryCounterIsRegisteredUnderItsNameAndLabels holds what dashboards and alerts ask for.
func TestEveryCounterIsRegisteredUnderItsNameAndLabels(t *testing.T) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg)
	m.Requests.WithLabelValues("ranked", "cache").Inc()
	for _, counter := range []*prometheus.CounterVec{
		m.Cache, m.Saves, m.Leases, m.Orders, m.RedisFailures, m.SourceFailures,
	} {
		counter.WithLabelValues("x").Inc()
	}
	m.RefreshesSkipped.Inc()
	m.OnDemand.Inc()
	m.Overlap.Observe(0.5)

	families, err := reg.Gather()
	require.NoError(t, err)
	labels := map[string][]string{}
	for _, family := range families {
		require.Len(t, family.GetMetric(), 1, family.GetName())
		labels[family.GetName()] = nil
		for _, pair := range family.GetMetric()[0].GetLabel() {
			labels[family.GetName()] = append(labels[family.GetName()], pair.GetName())
		}
	}
	require.Equal(t, map[string][]string{
		"feedrank_feed_requests_total":          {"algo", "served_from"},
		"feedrank_feed_cache_total":             {"result"},
		"feedrank_feed_cache_saves_total":       {"result"},
		"feedrank_feed_leases_total":            {"result"},
		"feedrank_feed_session_orders_total":    {"result"},
		"feedrank_feed_redis_failures_total":    {"operation"},
		"feedrank_feed_source_failures_total":   {"source"},
		"feedrank_feed_refreshes_skipped_total": nil,
		"feedrank_feed_on_demand_total":         nil,
		"feedrank_feed_fallback_overlap":        nil,
	}, labels)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
	require.Panics(t, func() { metrics.New(reg) }, "a replica has one feed")
}
