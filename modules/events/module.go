package events

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// APIModule takes events over HTTP.
func APIModule() fx.Option {
	return fx.Module("events-api", fx.Provide(
		func(cfg Config, k kafka.Config, p Producer, hider Hider, clock core.Clock, reg prometheus.Registerer) *API {
			return NewAPI(cfg, k.Topic(cfg.Topic), p, hider, clock, reg)
		},
		fx.Annotate(func(a *API) []httpserver.Route { return a.Routes() }, fx.ResultTags(`group:"routes,flatten"`)),
	))
}

// ConsumerModule applies events to ClickHouse.
func ConsumerModule() fx.Option {
	return fx.Module("events-consumer", fx.Provide(provideConsumer), fx.Invoke(func(lc fx.Lifecycle, c *Consumer) {
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
	Clock      core.Clock
	Failure    worker.Failure
	Registerer prometheus.Registerer
	Log        *zap.Logger
}

func provideConsumer(in consumerIn) *Consumer {
	return NewConsumer(in.Config, in.Kafka, in.ClickHouse, in.Letters, in.Clock, in.Failure, in.Registerer, in.Log, WithApplied(in.Applied), WithSessions(in.Sessions))
}
