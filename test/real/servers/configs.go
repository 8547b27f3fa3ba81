//go:build linux

package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/sql"
)

// Configs are the settings of feedrank's clients.
type Configs struct {
	ClickHouseConfig clickhouse.Config
	PostgresConfig   postgres.Config
	KafkaConfig      kafka.Config
	RedisConfig      redis.Config
}

// The databases that the stack's own Configs name.
const (
	mainDatabase       = "feedrank_app"
	clickhouseDatabase = "feedrank"
)

func (s *Stack) configs() Configs {
	c := Configs{
		ClickHouseConfig: clickhouse.DefaultConfig(), PostgresConfig: postgres.DefaultConfig(),
		KafkaConfig: kafka.DefaultConfig(), RedisConfig: redis.DefaultConfig(),
	}
	engine := s.engine.Addresses().ClickHouse
	c.ClickHouseConfig.Addrs = []string{engine.Addr}
	c.ClickHouseConfig.User, c.ClickHouseConfig.Password = engine.User, engine.Password
	c.ClickHouseConfig.Database = clickhouseDatabase
	c.PostgresConfig.DSN = dsn(s.Postgres.Addr(), mainDatabase)
	c.KafkaConfig.Brokers = []string{s.Kafka.Addr()}
	c.KafkaConfig.SessionTimeout = 3 * time.Second
	c.RedisConfig.Addrs = []string{s.Redis.Addr()}
	c.RedisConfig.DisableCache = false // a real Redis tracks what its clients cache
	return c
}

// Fresh makes databases that nothing else uses, migrated and with the example app's tables, and a
// topic prefix of their own; Redis is shared. They go with the stack.
func (s *Stack) Fresh(ctx context.Context) (Configs, error) {
	name := "t" + strings.ToLower(rand.Text()[:12])
	c := s.Configs
	c.ClickHouseConfig.Database = name
	c.PostgresConfig.DSN = dsn(s.Postgres.Addr(), name)
	c.KafkaConfig.TopicPrefix = name + "."
	if err := s.createDatabase(ctx, name); err != nil {
		return Configs{}, err
	}
	return c, c.migrate(ctx)
}

func (s *Stack) createDatabase(ctx context.Context, name string) (err error) {
	conn, err := pgx.Connect(ctx, dsn(s.Postgres.Addr(), "postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)",
		name).Scan(&exists); err != nil {
		return fmt.Errorf("look up database %s: %w", name, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// OnPostgres makes a database on other servers of PostgreSQL, of which the first takes writes now, with the example
// app's tables; its settings lead to whichever takes writes.
func (c Configs) OnPostgres(ctx context.Context, all ...Server) (Configs, error) {
	addrs := make([]string, len(all))
	for i, server := range all {
		addrs[i] = server.Addr()
	}
	c.PostgresConfig.DSN = dsn(strings.Join(addrs, ","), "postgres") + "&target_session_attrs=read-write"
	return c, c.migrate(ctx)
}

// migrate is what `feedrank migrate` does, after the example app has made its tables.
func (c Configs) migrate(ctx context.Context) error {
	if _, err := migrate.ClickHouse(ctx, c.ClickHouseConfig, false); err != nil {
		return err
	}
	return migrate.Locked(ctx, c.PostgresConfig, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, sql.ExampleSchema()); err != nil {
			return fmt.Errorf("the example app's tables: %w", err)
		}
		_, err := migrate.Postgres(ctx, conn, false)
		return err
	})
}
