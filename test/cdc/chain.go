package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/test/tables"
)

// chain is the servers between a commit and its copy, and our clients of them. The workers are spawned
// with its settings.
type chain struct {
	dir      string // of the workers' logs
	servers  *embedded.Stack
	settings settings
	pool     *pgxpool.Pool
	db       *clickhouse.Client
}

// keepEnv keeps the workers' logs.
const keepEnv = "FEEDRANK_CDC_KEEP"

// start starts the servers, migrates and makes the topics, for an app with such keys.
func start(ctx context.Context, keys core.KeyForm) (c *chain, err error) {
	c = &chain{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if c.dir, err = os.MkdirTemp("", "feedrank-cdc-"); err != nil {
		return c, err
	}
	if c.servers, err = embedded.Start(ctx,
		embedded.Options{Only: []string{embedded.ClickHouse, embedded.Kafka, embedded.Postgres}}); err != nil {
		return c, err
	}
	a := c.servers.Addresses()
	s := settings{
		Kafka: kafka.DefaultConfig(), ClickHouse: clickhouse.DefaultConfig(),
		Postgres: postgres.DefaultConfig(), CDC: cdc.DefaultConfig(),
	}
	s.Kafka.Brokers, s.Kafka.SessionTimeout = a.Kafka.Brokers, 3*time.Second
	s.ClickHouse.Addrs, s.ClickHouse.User, s.ClickHouse.Password, s.ClickHouse.Database = []string{a.ClickHouse.Addr},
		a.ClickHouse.User, a.ClickHouse.Password, a.ClickHouse.Database
	s.Postgres.DSN = a.Postgres.DSN
	s.CDC.Source.LeadTimeout = 3 * time.Second
	s.CDC.Source.TableCheck = time.Second
	schema := tables.SchemaWithAudiences()
	s.CDC.Tables = tables.MappingWithAudiences()
	if keys == core.UUIDKeys {
		schema, s.CDC.Tables = tables.SchemaOfUUIDs(), tables.MappingOfUUIDs()
	}
	c.settings = s
	if _, err := migrate.ClickHouse(ctx, s.ClickHouse, false); err != nil {
		return c, err
	}
	if err := migrate.Locked(ctx, s.Postgres, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, schema); err != nil {
			return err
		}
		_, err := migrate.Postgres(ctx, conn, false)
		return err
	}); err != nil {
		return c, err
	}
	specs, err := cdc.TopicSpecs(s.CDC, s.Kafka)
	specs = append(specs, deadletter.TopicSpecs(deadletter.DefaultConfig(), s.Kafka)...)
	if err != nil {
		return c, err
	}
	specs = append(specs, deadletter.TopicSpecs(deadletter.DefaultConfig(), s.Kafka)...)
	if _, err := kafka.EnsureTopics(s.Kafka, specs, false); err != nil {
		return c, err
	}
	patient := s.Postgres
	patient.StatementTimeout = time.Hour // transactions of a million rows
	if c.pool, err = postgres.NewPool(ctx, patient); err != nil {
		return c, err
	}
	c.db = clickhouse.New(s.ClickHouse, prometheus.NewRegistry())
	return c, nil
}

func (c *chain) stop() error {
	var errs []error
	if c.pool != nil {
		c.pool.Close()
	}
	if c.db != nil {
		c.db.Close()
	}
	if c.servers != nil {
		errs = append(errs, c.servers.Stop(context.Background()))
	}
	if c.dir != "" && os.Getenv(keepEnv) == "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// worker starts a process of a role.
func (c *chain) worker(name string, as role) (*process, error) {
	s := c.settings
	s.Role = as
	return spawn(c.dir, name, s)
}

// tail is the end of a worker's log.
func (c *chain) tail(name string) string {
	const most = 4000
	text, err := os.ReadFile(filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// deadLetters counts the records of the dead letters' topic.
func (c *chain) deadLetters() (total int64, err error) {
	config, err := c.settings.Kafka.Sarama()
	if err != nil {
		return 0, err
	}
	client, err := sarama.NewClient(c.settings.Kafka.Brokers, config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	topic := c.settings.Kafka.Topic(deadletter.DefaultConfig().CDCTopic)
	partitions, err := client.Partitions(topic)
	if err != nil {
		return 0, err
	}
	for _, p := range partitions {
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		if err != nil {
			return 0, err
		}
		total += end
	}
	return total, nil
}
