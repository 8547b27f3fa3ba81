package app

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/erase/order"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/jobs"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// eraseOrders are the admin calls that ask for erasures.
func eraseOrders() fx.Option {
	return fx.Options(order.APIModule(), fx.Provide(
		func(pool *pgxpool.Pool, cfg keys.Config, book *keys.Book, h *jobs.History) *order.API {
			return order.NewAPI(order.NewOrders(pool), cfg.Users, book.Check, eraseScheduler{h})
		},
	))
}

// eraseScheduler asks for the job.
type eraseScheduler struct{ history *jobs.History }

// Wake implements order.Scheduler.
func (s eraseScheduler) Wake(ctx context.Context) error {
	if s.history == nil {
		return core.Errorf(core.CodeConflict, "jobs are switched off (modules.jobs): run `feedrank erase`")
	}
	return wake(ctx, s.history, order.JobName)
}

// wake asks the leader to run a job now.
func wake(ctx context.Context, history *jobs.History, job string) error {
	_, err := history.Request(ctx, job)
	if errors.Is(err, jobs.ErrUnknownJob) {
		return core.Errorf(core.CodeConflict, "no replica with the role jobs has started yet: it is done once one does")
	}
	if err != nil {
		return core.Unavailable("PostgreSQL", time.Second, err)
	}
	return nil
}

// eraseIn are the settings of an erasure.
type eraseIn struct {
	fx.In
	Own        erase.Config
	Postgres   postgres.Config
	ClickHouse clickhouse.Config
	Redis      redis.Config
	Kafka      kafka.Config
	Keys       keys.Config
	Events     events.Config
	CDC        cdc.Config
	DeadLetter deadletter.Config
}

// settings are those that Erase asks for, with the user of ClickHouse who may remove rows.
func (in eraseIn) settings() config.Config {
	cfg := config.Config{
		Postgres: in.Postgres, ClickHouse: in.ClickHouse, Redis: in.Redis, Kafka: in.Kafka, Keys: in.Keys,
		Events: in.Events, CDC: in.CDC, DeadLetter: in.DeadLetter,
	}
	if in.Own.User != "" {
		cfg.ClickHouse.User, cfg.ClickHouse.Password = in.Own.User, in.Own.Password
	}
	return cfg
}

// eraseJob carries orders out. It looks for what is left behind now and then, and is woken for what is new.
func eraseJob() fx.Option {
	return fx.Provide(fx.Annotate(func(in eraseIn, pool *pgxpool.Pool, log *zap.Logger) jobs.Job {
		cfg := in.settings()
		job := order.NewJob(order.NewOrders(pool), in.Keys.Users,
			func(ctx context.Context, people []core.Key, steps func(erase.Step) error) (erase.Report, error) {
				return Erase(ctx, cfg, people, erase.WithSteps(steps))
			}, log)
		return jobs.Job{Name: order.JobName, Every: 5 * time.Minute, Jitter: 10, Timeout: 6 * time.Hour, Run: job.Run}
	}, fx.ResultTags(`group:"jobs"`)))
}
