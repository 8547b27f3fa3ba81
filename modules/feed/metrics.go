package feed

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests       *prometheus.CounterVec
	stages         map[string]prometheus.Observer
	cache          *prometheus.CounterVec
	sourceFailures *prometheus.CounterVec
	overlap        prometheus.Histogram
}

// stageNames are the stages that are timed.
var stageNames = [...]string{"hydrate", "sources", "merge", "rank", "reserve", "page", "encode"}

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_feed_stage_seconds", Help: "Time of a stage of a feed request. hydrate includes the read of Redis, reserve a computation.",
		Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
	}, []string{"stage"})
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_requests_total", Help: "Feed pages served, by order and by where the answer came from.",
		}, []string{"algo", "served_from"}),
		stages: make(map[string]prometheus.Observer, len(stageNames)),
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
	for _, name := range stageNames {
		m.stages[name] = seconds.WithLabelValues(name)
	}
	return m
}

// StageRecord is what an explained answer says of a stage.
type StageRecord struct {
	Name string
	Took time.Duration
}

// stage is a stage that is under way.
type stage struct {
	metrics *metrics
	name    string
	began   time.Time
	records *[]StageRecord
}

// stage begins the first stage; each is recorded as it ends.
func (m *metrics) stage(name string, records *[]StageRecord) stage {
	return stage{m, name, time.Now(), records}
}

// next ends the stage and begins another.
func (s stage) next(name string) stage { return stage{s.metrics, name, s.end(), s.records} }

func (s stage) end() time.Time {
	now := time.Now()
	took := now.Sub(s.began)
	s.metrics.stages[s.name].Observe(took.Seconds())
	*s.records = append(*s.records, StageRecord{s.name, took})
	return now
}
