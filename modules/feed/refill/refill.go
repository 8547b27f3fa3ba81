package refill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// Config says how soon a loss is noticed.
type Config struct {
	Every   time.Duration `koanf:"every" validate:"gte=1s,lte=1h"`   // Redis is asked so often whether it was emptied
	Timeout time.Duration `koanf:"timeout" validate:"gte=1s,lte=6h"` // to give everybody's marks back; then it begins anew
}

// DefaultConfig looks every five seconds.
func DefaultConfig() Config { return Config{Every: 5 * time.Second, Timeout: 30 * time.Minute} }

// Source are the raw events. Each page is of whole users in ascending order, those after a given one; an
// empty one is the last.
type Source interface {
	Partitions(ctx context.Context) ([]uint16, error)
	Hidden(ctx context.Context, partition uint16, after core.ID, since time.Time) ([]store.Mark, error)
	Seen(ctx context.Context, partition uint16, after core.ID, since time.Time) ([]store.Mark, error)
}

// Job notices that Redis was emptied, and fills it. One replica runs it; two at once would do the same twice.
type Job struct {
	cfg       store.Config
	source    Source
	store     *store.Store
	witnesses *Witnesses
	erased    core.Erased // their events are not used
	clock     core.Clock
	log       *zap.Logger
	metrics   *metrics
}

// NewJob makes the job.
func NewJob(cfg store.Config, source Source, s *store.Store, w *Witnesses, erased core.Erased, clock core.Clock,
	reg prometheus.Registerer, log *zap.Logger,
) *Job {
	return &Job{
		cfg: cfg, source: source, store: s, witnesses: w, erased: erased, clock: clock,
		log: log.Named("refill"), metrics: newMetrics(reg),
	}
}

// errLostAgain says that what was written may be gone.
var errLostAgain = errors.New("the marks were lost again while they were written")

// Run fills Redis if a witness is missing. What a failed run has written stays, and is not written twice.
func (j *Job) Run(ctx context.Context, _ int64) error {
	whole, err := j.witnesses.Whole(ctx)
	if err != nil || whole {
		j.metrics.set(whole && err == nil)
		return err
	}
	j.metrics.set(false)
	began := j.clock.Now()
	j.log.Warn("Redis does not know what viewers saw and hid; it is filled from the raw events")
	token, err := j.witnesses.Begin(ctx)
	if err != nil {
		return err
	}
	if err := j.fill(ctx, began); err != nil {
		return err
	}
	stood, err := j.witnesses.End(ctx, token)
	switch {
	case err != nil:
		return err
	case !stood:
		return errLostAgain
	}
	j.metrics.set(true)
	j.log.Info("Redis knows again what viewers saw and hid", zap.Duration("took", j.clock.Now().Sub(began)))
	return nil
}

// fill writes hidden posts first: what was seen matters for a day only.
func (j *Job) fill(ctx context.Context, now time.Time) error {
	partitions, err := j.source.Partitions(ctx)
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		name  string
		since time.Time
		most  int
		page  func(context.Context, uint16, core.ID, time.Time) ([]store.Mark, error)
		write func(context.Context, []store.Mark) error
	}{
		{"hidden", now.Add(-j.cfg.HiddenFor), j.cfg.MaxHidden, j.source.Hidden, j.store.RefillHidden},
		{"seen", now.Add(-j.cfg.SeenFor), j.cfg.MaxSeen, j.source.Seen, j.store.RefillSeen},
	} {
		for _, partition := range partitions {
			for after := core.ID(math.MinInt64); ; {
				page, err := kind.page(ctx, partition, after, kind.since)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				after = page[len(page)-1].User
				if err := j.erased.Refresh(ctx); err != nil {
					return err
				}
				if err := kind.write(ctx, j.latest(page, kind.most)); err != nil {
					return fmt.Errorf("fill Redis with what was %s: %w", kind.name, err)
				}
				j.metrics.marks.WithLabelValues(kind.name).Add(float64(len(page)))
			}
		}
	}
	return nil
}

// latest leaves of each user's marks the latest, as many as are kept, and none of somebody who is erased.
func (j *Job) latest(page []store.Mark, most int) []store.Mark {
	out := page[:0]
	for len(page) > 0 {
		user := page[0].User
		n := slices.IndexFunc(page, func(m store.Mark) bool { return m.User != user })
		if n < 0 {
			n = len(page)
		}
		own := page[:n]
		page = page[n:]
		if j.erased.Has(user) {
			continue
		}
		slices.SortStableFunc(own, func(a, b store.Mark) int { return cmp.Compare(marks.When(a.At), marks.When(b.At)) })
		out = append(out, own[max(0, len(own)-most):]...)
	}
	return out
}

type metrics struct {
	whole prometheus.Gauge
	marks *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		whole: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_refill_whole",
			Help: "1 when Redis has what viewers saw and hid, as far as the leading replica knows; 0 while it is filled.",
		}),
		marks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_refill_marks_total",
			Help: "Marks read from the raw events to fill Redis, by kind: hidden, seen.",
		}, []string{"kind"}),
	}
	reg.MustRegister(m.whole, m.marks)
	return m
}

func (m *metrics) set(whole bool) {
	if whole {
		m.whole.Set(1)
		return
	}
	m.whole.Set(0)
}
