package cdc

import (
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// NewSource makes the built-in source for the mapped tables. Of p the caller sets PostgreSQL, the clock,
// the log, the registerer and the failure.
func NewSource(cfg Config, k kafka.Config, p source.Params) (*source.Source, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	p.Config, p.Kafka, p.Name, p.Tables, p.Topic = cfg.Source, k, cfg.TopicPrefix, source.TablesOf(m), m.Topic
	return source.New(p), nil
}

// NewConsumer makes the consumer of the mapped tables. Of p the caller sets all but the configuration, the mapping
// and Kafka.
func NewConsumer(cfg Config, k kafka.Config, p consumer.Params) (*consumer.Consumer, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	p.Config, p.Kafka, p.Mapping = cfg.Consumer, k, m
	return consumer.New(p), nil
}

// NewResync makes the comparison of the mapped tables. producer may be nil where nothing is repaired.
func NewResync(
	cfg Config, k kafka.Config, pg *pgxpool.Pool, db *clickhouse.Client, producer *kafka.Producer,
	clock core.Clock, reg prometheus.Registerer,
) (*resync.Resync, error) {
	m, err := cfg.Mapping(k)
	if err != nil {
		return nil, err
	}
	return resync.New(resync.Params{
		Config: cfg.Resync, Mapping: m, Tables: cfg.Tables, Name: cfg.TopicPrefix, Slot: cfg.Source.Slot,
		Group: cfg.Consumer.Group, Kafka: k, Postgres: pg, ClickHouse: db, Producer: producer, Clock: clock,
		Registerer: reg,
	}), nil
}
