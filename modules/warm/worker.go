package warm

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Warmer computes ahead what is cached of a user, unless it is fresh.
type Warmer interface {
	Warm(ctx context.Context, user core.ID) error
}

// Load tells whether the replica has something better to do.
type Load interface{ Busy() bool }

// Worker warms the listed users, one at a time. Every api replica has one.
type Worker struct {
	cfg     Config
	redis   *redis.Client
	warmer  Warmer
	load    Load
	limit   *rate.Limiter
	clock   core.Clock
	log     *zap.Logger
	metrics *metrics
	workers *worker.Group
}

// NewWorker makes a worker. Start starts it.
func NewWorker(cfg Config, client *redis.Client, warmer Warmer, load Load, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) *Worker {
	return &Worker{
		cfg: cfg, redis: client, warmer: warmer, load: load, limit: rate.NewLimiter(rate.Limit(cfg.Rate), 1),
		clock: clock, log: log.Named("warm"), metrics: newMetrics(reg), workers: worker.NewGroup(nil),
	}
}

// Start begins to warm, in the background.
func (w *Worker) Start(context.Context) error {
	w.workers.Go("warm", w.run)
	return nil
}

// Stop ends it. The users that were taken and not warmed are not warmed.
func (w *Worker) Stop(ctx context.Context) error { return w.workers.Stop(ctx) }

const (
	batch     = 10          // users taken at once: so many are lost with a replica
	idleFor   = time.Second // before an empty list is looked at again
	leastWait = 10 * time.Millisecond
)

func (w *Worker) run(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		users, err := take(ctx, w.redis, batch)
		if err != nil || len(users) == 0 {
			if worker.Pause(ctx, idleFor) != nil {
				return nil //nolint:nilerr // it was stopped
			}
			continue
		}
		for _, user := range users {
			if wait, err = w.one(ctx, user, wait); err != nil {
				return nil //nolint:nilerr // it was stopped
			}
		}
	}
}

// one warms a user as soon as there is nothing better to do, and gives the pause before the next: it
// doubles while warming is slow or fails, which says that others wait as well, and halves when it is
// quick again. An error means that ctx has ended.
func (w *Worker) one(ctx context.Context, user core.ID, wait time.Duration) (time.Duration, error) {
	w.metrics.pause.Set(wait.Seconds())
	if worker.Pause(ctx, wait) != nil {
		return wait, ctx.Err()
	}
	for w.load.Busy() {
		w.metrics.users.WithLabelValues("gave_way").Inc()
		if worker.Pause(ctx, idleFor) != nil {
			return wait, ctx.Err()
		}
	}
	if err := w.limit.Wait(ctx); err != nil {
		return wait, err
	}
	bounded, cancel := context.WithTimeout(ctx, w.cfg.PerUser)
	defer cancel()
	began := w.clock.Now()
	err := w.warmer.Warm(bounded, user)
	took := w.clock.Now().Sub(began)
	w.metrics.seconds.Observe(took.Seconds())
	switch {
	case err != nil:
		w.metrics.users.WithLabelValues("failed").Inc()
		w.log.Debug("a user was not warmed", zap.Stringer("user", user), zap.Error(err))
	case took > w.cfg.SlowAfter:
		w.metrics.users.WithLabelValues("slow").Inc()
	default:
		w.metrics.users.WithLabelValues("warmed").Inc()
		if wait /= 2; wait < leastWait {
			wait = 0
		}
		return wait, ctx.Err()
	}
	return min(w.cfg.MaxPause, max(2*wait, w.cfg.SlowAfter)), ctx.Err()
}

type metrics struct {
	users   *prometheus.CounterVec
	seconds prometheus.Histogram
	pause   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		users: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_warm_users_total",
			Help: "Users warmed by outcome: warmed, slow, failed; gave_way counts the looks at which the replica was busy.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feedrank_warm_seconds", Help: "Time to warm one user.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 10),
		}),
		pause: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_warm_pause_seconds",
			Help: "The pause before the next user; it grows while warming is slow.",
		}),
	}
	reg.MustRegister(m.users, m.seconds, m.pause)
	return m
}
