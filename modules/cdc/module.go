package cdc

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/ops"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// ConsumerModule copies the app's tables to ClickHouse.
func ConsumerModule() fx.Option {
	return fx.Module("cdc-consumer", fx.Provide(
		provideConsumer,
		fx.Annotate(func(c *consumer.Consumer) ops.Check {
			return ops.Check{Name: "cdc consumer", Probe: c.Probe}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, c *consumer.Consumer) {
		lc.Append(fx.Hook{OnStart: c.Start, OnStop: c.Stop})
	}))
}

// SourceModule reads PostgreSQL's log where no Debezium does.
func SourceModule() fx.Option {
	return fx.Module("cdc-source", fx.Provide(
		provideSource,
		fx.Annotate(func(s *source.Source) ops.Check {
			return ops.Check{Name: "cdc source", Probe: s.Probe}
		}, fx.ResultTags(`group:"checks"`)),
	), fx.Invoke(func(lc fx.Lifecycle, s *source.Source) {
		lc.Append(fx.Hook{OnStart: s.Start, OnStop: s.Stop})
	}))
}

type consumerIn struct {
	fx.In

	Config      Config
	Kafka       kafka.Config
	ClickHouse  *clickhouse.Client
	Postgres    *pgxpool.Pool
	DeadLetters consumer.DeadLetters
	Observer    consumer.Observer
	Erased      core.Erased
	Keys        core.Admission
	Clock       core.Clock
	Log         *zap.Logger
	Registerer  prometheus.Registerer
	Failure     worker.Failure
}

func provideConsumer(in consumerIn) (*consumer.Consumer, error) {
	return NewConsumer(in.Config, in.Kafka, consumer.Params{
		ClickHouse: in.ClickHouse, Postgres: in.Postgres, DeadLetters: in.DeadLetters, Observer: in.Observer,
		Erased: in.Erased, Keys: in.Keys,
		Clock: in.Clock, Log: in.Log, Registerer: in.Registerer, Failure: in.Failure,
	})
}

type sourceIn struct {
	fx.In

	Config     Config
	Kafka      kafka.Config
	Postgres   postgres.Config
	Clock      core.Clock
	Log        *zap.Logger
	Registerer prometheus.Registerer
	Failure    worker.Failure
}

func provideSource(in sourceIn) (*source.Source, error) {
	return NewSource(in.Config, in.Kafka, source.Params{
		Postgres: in.Postgres, Clock: in.Clock, Log: in.Log, Registerer: in.Registerer, Failure: in.Failure,
	})
}
