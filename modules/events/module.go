package events

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// APIModule takes events over HTTP.
func APIModule() fx.Option {
	return fx.Module("events-api", fx.Provide(
		func(cfg Config, r *redis.Client, clock core.Clock, reg prometheus.Registerer, log *zap.Logger) *Bound {
			return NewBound(cfg.Bound, r, clock, reg, log)
		},
		func(cfg Config, k kafka.Config, p Producer, hider Hider, b *Bound, clock core.Clock, reg prometheus.Registerer) *API {
			return NewAPI(cfg.Ingest(), k.Topic(cfg.Topic), p, hider, clock, reg).WithBound(b)
		},
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	), fx.Invoke(func(lc fx.Lifecycle, b *Bound, failure worker.Failure) {
		workers := worker.NewGroup(failure)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("bounds of events", b.Run)
				return nil
			},
			OnStop: workers.Stop,
		})
	}))
}

// ConsumerModule applies events to ClickHouse.
func ConsumerModule() fx.Option {
	return fx.Module("events-consumer", fx.Provide(provideConsumer, fx.Annotate(func(c *Consumer) ops.Check {
		return ops.Check{Name: "events consumer", Probe: func(context.Context) error { return c.check() }}
	}, fx.ResultTags(`group:"checks"`))), fx.Invoke(func(lc fx.Lifecycle, c *Consumer) {
		lc.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
	}))
}

type consumerIn struct {
	fx.In

	Config     Config
	Kafka      kafka.Config
	ClickHouse *clickhouse.Client
	Letters    DeadLetters
	Applied    Applied
	Sessions   Sessions `optional:"true"`
	Erased     Erased
	Clock      core.Clock
	Failure    worker.Failure
	Registerer prometheus.Registerer
	Log        *zap.Logger
}

func provideConsumer(in consumerIn) *Consumer {
	return NewConsumer(in.Config.Consumer(), in.Kafka, in.ClickHouse, in.Letters, in.Clock, in.Failure, in.Registerer, in.Log, WithApplied(in.Applied), WithSessions(in.Sessions), WithErased(in.Erased), WithPosts(NewPosts(in.ClickHouse, in.Clock)))
}
