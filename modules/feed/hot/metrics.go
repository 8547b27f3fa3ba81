package hot

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
)

// Metrics are the set's metrics, registered.
type Metrics struct{ inner *metrics }

type metrics struct {
	posts, bytes, authors, unclear prometheus.Gauge
	labelSets                      prometheus.Gauge
	evicted                        prometheus.Counter
	seconds                        *prometheus.HistogramVec
	failures                       *prometheus.CounterVec
	failing                        atomic.Bool
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &metrics{
		posts: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_posts",
			Help: "Posts in the hot set.",
		}),
		bytes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_bytes",
			Help: "Estimated memory of the hot set.",
		}),
		authors: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_authors",
			Help: "Authors with posts in the hot set.",
		}),
		unclear: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_unclear_posts",
			Help: "Posts that may have changed, by a repair or by changes without an order, and are looked up in ClickHouse.",
		}),
		labelSets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_label_sets",
			Help: "Different sets of labels that posts in the hot set have, or had a minute ago.",
		}),
		evicted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feedrank_feed_hot_evicted_total", Help: "Posts dropped because feed.hot.max_posts was reached.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "feedrank_feed_hot_step_seconds",
			Help:    "Time to load the hot set, to refresh the current hour and to recount the day.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}, []string{"step"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_feed_hot_failures_total", Help: "Steps of the hot set that failed.",
		}, []string{"step"}),
	}
	reg.MustRegister(m.posts, m.bytes, m.authors, m.unclear, m.labelSets, m.evicted, m.seconds, m.failures)
	return &Metrics{inner: m}
}

// ObserveAge registers gauges of how old the set's content is.
func (s *Set) ObserveAge(reg prometheus.Registerer, clock core.Clock) {
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_engagement_age_seconds",
			Help: "How old the engagement in the hot set is; -1 before the first load.",
		}, func() float64 { return age(clock.Now(), s.engagementAt.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "feedrank_feed_hot_load_age_seconds",
			Help: "How long ago the hot set was loaded in full; -1 before the first load.",
		}, func() float64 { return age(clock.Now(), s.loadedAt.Load()) }),
	)
}
