package trending

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Job makes and publishes the lists. One run at a time.
type Job struct {
	cfg       Config
	weights   Weights
	source    source
	published *Published
	clock     core.Clock
	metrics   *metrics
	last      map[Window]*List // what this replica has made
}

// NewJob makes the job.
func NewJob(cfg Config, weights Weights, client *clickhouse.Client, from core.CountedFrom, published *Published,
	clock core.Clock, reg prometheus.Registerer,
) *Job {
	return &Job{
		cfg: cfg, weights: weights, source: source{client, from}, published: published, clock: clock,
		metrics: newMetrics(reg), last: map[Window]*List{},
	}
}

// Run publishes every window under the fence: made anew where it is due, else what is left of it.
// A window that fails leaves the others alone.
func (j *Job) Run(ctx context.Context, fence int64) error {
	var failures []error
	for _, w := range j.cfg.windows() {
		if err := j.one(ctx, w, fence); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (j *Job) one(ctx context.Context, w window, fence int64) error {
	began := j.clock.Now()
	l := j.last[w.name]
	var err error
	if l == nil || l.Lead != fence || began.Sub(l.ComputedAt) >= w.cfg.Refresh {
		l, err = j.make(ctx, w, fence, began)
	} else {
		l, err = j.prune(ctx, l)
	}
	if err != nil {
		return fmt.Errorf("trending %s: %w", w.name, err)
	}
	if err := j.published.publish(ctx, l); err != nil {
		return err
	}
	j.last[w.name] = l
	j.metrics.posts.WithLabelValues(string(w.name)).Set(float64(len(l.Posts)))
	j.metrics.refused.WithLabelValues(string(w.name)).Set(float64(len(l.Refused)))
	j.metrics.computed.WithLabelValues(string(w.name)).Set(float64(l.ComputedAt.Unix()))
	return nil
}

// make asks the view for more than is wanted, because some of it is gone, and some but one account's
// doing.
func (j *Job) make(ctx context.Context, w window, fence int64, now time.Time) (*List, error) {
	out := &List{Window: w.name, ComputedAt: now, Lead: fence, Posts: []Post{}, Refused: []core.ID{}}
	found, err := j.source.top(ctx, w, &j.weights, now, 3*j.cfg.Limit)
	if err != nil || len(found) == 0 {
		return out, err
	}
	ids := make([]core.ID, len(found))
	for i := range found {
		ids[i] = found[i].post
	}
	visible, err := j.source.visible(ctx, ids, j.weights.KeptOut)
	if err != nil {
		return nil, err
	}
	users, err := j.source.users(ctx, ids, w.since(now).Truncate(time.Hour))
	if err != nil {
		return nil, err
	}
	posts, refused := choose(&j.cfg, &j.weights, w, now, found, visible, users)
	out.Posts, out.Refused = append(out.Posts, posts...), append(out.Refused, refused...)
	return out, nil
}

// prune is a list without the posts that were deleted or hidden since.
func (j *Job) prune(ctx context.Context, l *List) (*List, error) {
	ids := make([]core.ID, len(l.Posts))
	for i := range l.Posts {
		ids[i] = l.Posts[i].ID
	}
	visible, err := j.source.visible(ctx, ids, j.weights.KeptOut)
	if err != nil {
		return nil, err
	}
	out := *l
	out.Posts = make([]Post, 0, len(l.Posts))
	for _, p := range l.Posts {
		if now, ok := visible[p.ID]; ok {
			p.Labels = now.Labels.IDs()
			out.Posts = append(out.Posts, p)
		}
	}
	return &out, nil
}

type metrics struct {
	posts, refused, computed *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feedrank_trending_" + name, Help: help},
			[]string{"window"})
	}
	m := &metrics{
		posts: gauge("posts", "Posts in the list that was published last."),
		refused: gauge("refused_posts",
			"Posts left out of it because one account, or a few, did all that was done with them."),
		computed: gauge("computed_timestamp_seconds", "When it was made, as seconds since 1970."),
	}
	reg.MustRegister(m.posts, m.refused, m.computed)
	return m
}
