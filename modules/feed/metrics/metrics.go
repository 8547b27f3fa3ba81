// Package metrics has the counters that several packages of the feed count in.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the feed's counters.
type Metrics struct {
	Requests         *prometheus.CounterVec // pages, by order and by where they came from
	Cache            *prometheus.CounterVec // requests for a reserve, by result
	Saves            *prometheus.CounterVec // of computed reserves, by result
	Leases           *prometheus.CounterVec // that others had, by result
	Orders           *prometheus.CounterVec // of sessions, by what became of them
	RedisFailures    *prometheus.CounterVec // by operation
	SourceFailures   *prometheus.CounterVec // by source
	RefreshesSkipped prometheus.Counter
	OnDemand         prometheus.Counter
	Overlap          prometheus.Histogram // of ranked pages with those of the fallback
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

// New makes them.
func New(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		Requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_requests_total",
			Help: "Feed pages served, by order and by where the answer came from.",
		}, []string{"algo", "served_from"}),
		Cache: counters("feedrank_feed_cache_total",
			"Requests for a reserve: hit, of these stale and due_for_refresh, which are refreshed; miss; malformed entries.",
			"result"),
		Saves: counters("feedrank_feed_cache_saves_total",
			"Computed reserves that were to be cached: saved, or overtaken by a change of the viewer's.", "result"),
		Leases: counters("feedrank_feed_leases_total",
			"Computations that another replica was at already: shared its result, or busy, which is computed twice.",
			"result"),
		Orders: counters("feedrank_feed_session_orders_total",
			"Orders of sessions that were dropped, because Redis is slow, or remade, because they were lost.",
			"result"),
		RedisFailures: counters("feedrank_feed_redis_failures_total",
			"Calls of Redis that failed, by what they were for: load, save, lease, order, hide, restore, lists, served.",
			"operation"),
		RefreshesSkipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_refreshes_skipped_total",
			Help: "Refreshes that did not begin: it was too early, or there was enough to do.",
		}),
		OnDemand: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_on_demand_total",
			Help: "Hot sets that were asked for one viewer, while the replica's own was not loaded or too old.",
		}),
		SourceFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_source_failures_total",
			Help: "Sources of candidates that failed or were late, and were left out.",
		}, []string{"source"}),
		Overlap: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "feedrank_feed_fallback_overlap",
			Help:    "Part of a ranked first page that the page with the graph from PostgreSQL has, too; sampled while all is well.",
			Buckets: prometheus.LinearBuckets(0.1, 0.1, 10),
		}),
	}
	reg.MustRegister(m.Requests, m.Cache, m.Saves, m.Leases, m.Orders, m.RedisFailures, m.RefreshesSkipped,
		m.OnDemand, m.SourceFailures, m.Overlap)
	return m
}
