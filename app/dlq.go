package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// WithLetters gives a command the queues.
func WithLetters(cfg config.Config, f func(*deadletter.Service) error) (err error) {
	producer := kafka.NewProducer(cfg.Kafka)
	defer func() { err = errors.Join(err, producer.Close()) }()
	metrics := deadletter.NewMetrics(prometheus.NewRegistry())
	return f(deadletter.NewService(cfg.DeadLetter, cfg.Kafka, producer, core.SystemClock{}, metrics))
}

// deadLettersAPI has orders carried out by the replica that leads the jobs.
func deadLettersAPI() fx.Option {
	return fx.Options(deadletter.APIModule(), fx.Provide(func(h *jobs.History) deadletter.Scheduler {
		return deadLetterScheduler{h}
	}))
}

// deadLettersJob carries orders out. It looks for what is left behind now and then, and is woken for what is new.
func deadLettersJob() fx.Option {
	return fx.Provide(fx.Annotate(func(job *deadletter.Job) jobs.Job {
		return jobs.Job{
			Name: deadletter.JobName, Every: 5 * time.Minute, Jitter: 10, Timeout: time.Hour, Run: job.Run,
		}
	}, fx.ResultTags(`group:"jobs"`)))
}

// deadLetterScheduler asks for the job. It is nil where there are no jobs.
type deadLetterScheduler struct{ history *jobs.History }

// Wake implements deadletter.Scheduler.
func (s deadLetterScheduler) Wake(ctx context.Context) error {
	if s.history == nil {
		return core.Errorf(core.CodeConflict, "jobs are switched off (modules.jobs): do it without background")
	}
	return wake(ctx, s.history, deadletter.JobName)
}
