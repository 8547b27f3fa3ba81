package feed

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests       *prometheus.CounterVec
	stages         map[string]prometheus.Observer
	cache          *prometheus.CounterVec
	sourceFailures *prometheus.CounterVec
	overlap        prometheus.Histogram
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

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_feed_stage_seconds", Help: "Time of a stage of a feed request: hydrate (Redis), reserve (a computation, or none), page, encode, settle; and of their parts.",
		Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
	}, []string{"stage"})
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_requests_total", Help: "Feed pages served, by order and by where the answer came from.",
		}, []string{"algo", "served_from"}),
		stages: map[string]prometheus.Observer{},
		cache: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_cache_total", Help: "What happened to cached reserves: hit, of these stale and worn ones that are computed anew, miss, saved, overtaken by a change, malformed, and failures.",
		}, []string{"result"}),
		sourceFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_source_failures_total", Help: "Sources of candidates that failed or were late, and were left out.",
		}, []string{"source"}),
	}
	m.overlap = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "feedrank_feed_fallback_overlap", Help: "Part of a ranked first page that the page with the graph from PostgreSQL has, too; sampled while all is well.",
		Buckets: prometheus.LinearBuckets(0.1, 0.1, 10),
	})
	reg.MustRegister(m.requests, seconds, m.cache, m.sourceFailures, m.overlap)
	for _, name := range stageNames() {
		m.stages[name] = seconds.WithLabelValues(name)
	}
	return m
}
