package feed

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests                   *prometheus.CounterVec
	stages                     map[string]prometheus.Observer
	cache                      *prometheus.CounterVec // by result
	saves                      *prometheus.CounterVec // by result
	leases                     *prometheus.CounterVec // by result
	orders                     *prometheus.CounterVec // by what became of them
	redisFailures              *prometheus.CounterVec // by operation
	refreshesSkipped, onDemand prometheus.Counter
	sourceFailures             *prometheus.CounterVec
	overlap                    prometheus.Histogram
}

// stageNames are those of all stages.
func stageNames() (names []string) {
	for _, way := range [][]stage[*request]{feedStages, rankedStages, unrankedStages, trendingStages, newPostsStages} {
		for _, s := range way {
			names = append(names, s.name)
		}
	}
	for _, s := range computeStages {
		names = append(names, s.name)
	}
	return names
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_feed_stage_seconds",
		Help: "Time of a stage of a feed request: hydrate (Redis), reserve (a computation, or none), page, encode, " +
			"settle; and of their parts.",
		Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
	}, []string{"stage"})
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_requests_total",
			Help: "Feed pages served, by order and by where the answer came from.",
		}, []string{"algo", "served_from"}),
		stages: map[string]prometheus.Observer{},
		cache: counters("feedrank_feed_cache_total",
			"Requests for a reserve: hit, of these stale and due_for_refresh, which are refreshed; miss; malformed entries.",
			"result"),
		saves: counters("feedrank_feed_cache_saves_total",
			"Computed reserves that were to be cached: saved, or overtaken by a change of the viewer's.", "result"),
		leases: counters("feedrank_feed_leases_total",
			"Computations that another replica was at already: shared its result, or busy, which is computed twice.",
			"result"),
		orders: counters("feedrank_feed_session_orders_total",
			"Orders of sessions that were dropped, because Redis is slow, or remade, because they were lost.",
			"result"),
		redisFailures: counters("feedrank_feed_redis_failures_total",
			"Calls of Redis that failed, by what they were for: load, save, lease, order, hide, restore, lists, served.",
			"operation"),
		refreshesSkipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_refreshes_skipped_total",
			Help: "Refreshes that did not begin: it was too early, or there was enough to do.",
		}),
		onDemand: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_on_demand_total",
			Help: "Hot sets that were asked for one viewer, while the replica's own was not loaded or too old.",
		}),
		sourceFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_source_failures_total",
			Help: "Sources of candidates that failed or were late, and were left out.",
		}, []string{"source"}),
	}
	m.overlap = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "feedrank_feed_fallback_overlap",
		Help:    "Part of a ranked first page that the page with the graph from PostgreSQL has, too; sampled while all is well.",
		Buckets: prometheus.LinearBuckets(0.1, 0.1, 10),
	})
	reg.MustRegister(m.requests, seconds, m.cache, m.saves, m.leases, m.orders, m.redisFailures, m.refreshesSkipped,
		m.onDemand, m.sourceFailures, m.overlap)
	for _, name := range stageNames() {
		m.stages[name] = seconds.WithLabelValues(name)
	}
	return m
}
