// Package stages runs a request as a list of named stages. Each is timed by its name, in
// feedrank_feed_stage_seconds, and is a span of the request's trace: that says which one was slow.
package stages

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// Seconds is the metric of all stages.
type Seconds struct{ vec *prometheus.HistogramVec }

// NewSeconds makes it.
func NewSeconds(reg prometheus.Registerer) *Seconds {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "feedrank_feed_stage_seconds",
		Help: "Time of a stage of a feed request: hydrate (Redis), reserve (a computation, or none), page, encode, " +
			"settle; and of their parts.",
		Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
	}, []string{"stage"})
	reg.MustRegister(vec)
	return &Seconds{vec}
}

// Way is a list of stages that a T goes through, top to bottom.
type Way[T any] struct {
	seconds *Seconds
	stages  []stage[T]
}

type stage[T any] struct {
	name string
	run  func(ctx context.Context, on T) error
	took prometheus.Observer
}

// NewWay makes a way without stages.
func NewWay[T any](seconds *Seconds) *Way[T] { return &Way[T]{seconds: seconds} }

// Then adds a stage. One that fails ends the way.
func (w *Way[T]) Then(name string, run func(ctx context.Context, on T) error) *Way[T] {
	w.stages = append(w.stages, stage[T]{name, run, w.seconds.vec.WithLabelValues(name)})
	return w
}

// Record is how long a stage took.
type Record struct {
	Name string
	Took time.Duration
}

// Report says what a source gave to a request, or why it gave nothing.
type Report struct {
	Name  string
	Posts int
	Err   error
}

// Run goes through the stages, and records those that have ended, if records is not nil.
func (w *Way[T]) Run(ctx context.Context, on T, records *[]Record) error {
	watch, began := core.StartStopwatch(), time.Duration(0)
	for i := range w.stages {
		s := &w.stages[i]
		within, span := tracing.Start(ctx, s.name)
		err := s.run(within, on)
		span.End(err)
		if err != nil {
			return err
		}
		ended := watch.Elapsed()
		tracing.Observe(ctx, s.took, (ended - began).Seconds())
		if records != nil {
			*records = append(*records, Record{s.name, ended - began})
		}
		began = ended
	}
	return nil
}
