package events

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/events/ingest"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/events/posts"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// APIModule takes events over HTTP.
func APIModule() fx.Option {
	return fx.Module("events-api", fx.Provide(
		func(cfg Config, r *redis.Client, clock core.Clock, reg prometheus.Registerer, log *zap.Logger) *ingest.Quota {
			return ingest.NewQuota(cfg.Bound, r, clock, reg, log)
		},
		func(cfg Config, k kafka.Config, p ingest.Producer, hides ingest.HideListener, b *ingest.Quota,
			clock core.Clock, reg prometheus.Registerer,
		) *ingest.API {
			return ingest.New(cfg.Ingest(), k.Topic(cfg.Topic), p, hides, clock, reg).WithQuota(b)
		},
		fx.Annotate(func(a *ingest.API) []httpserver.Route { return a.Routes() },
			fx.ResultTags(`group:"routes,flatten"`)),
	), fx.Invoke(func(lc fx.Lifecycle, b *ingest.Quota, failure worker.Failure) {
		workers := worker.NewGroup(failure)
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				workers.Go("quotas of events", b.Run)
				return nil
			},
			OnStop: workers.Stop,
		})
	}))
}

// ConsumerModule applies events to ClickHouse.
func ConsumerModule() fx.Option {
	return fx.Module("events-consumer", fx.Provide(provideConsumer, fx.Annotate(func(c *consumer.Consumer) ops.Check {
		return ops.Check{Name: "events consumer", Probe: func(context.Context) error { return c.Check() }}
	}, fx.ResultTags(`group:"checks"`))), fx.Invoke(func(lc fx.Lifecycle, c *consumer.Consumer) {
		lc.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
	}))
}

type consumerIn struct {
	fx.In

	Config     Config
	Kafka      kafka.Config
	ClickHouse *clickhouse.Client
	Letters    partition.DeadLetters
	Applied    partition.Observer
	Sessions   partition.Sessions `optional:"true"`
	Erased     core.Erased
	Keys       core.Admission
	Tracer     *tracing.Tracer
	Clock      core.Clock
	Failure    worker.Failure
	Registerer prometheus.Registerer
	Log        *zap.Logger
}

func provideConsumer(in consumerIn) *consumer.Consumer {
	return consumer.New(in.Config.Consumer(), in.Kafka, in.ClickHouse, in.Letters, in.Clock, in.Failure, in.Registerer,
		in.Log, consumer.WithObserver(in.Applied), consumer.WithSessions(in.Sessions), consumer.WithErased(in.Erased),
		consumer.WithKeys(in.Keys), consumer.WithTracer(in.Tracer),
		consumer.WithPosts(posts.New(in.ClickHouse, in.Clock)))
}
