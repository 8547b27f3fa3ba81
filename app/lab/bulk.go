//go:build !production

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// SeedBulk puts a synthetic world straight into PostgreSQL and ClickHouse, as if CDC and the events
// consumer had brought it, and has them begin behind it. Both databases must be migrated and empty.
func SeedBulk(ctx context.Context, cfg config.Config, options seed.Options, out io.Writer) (seed.Report, error) {
	cfg.ClickHouse.QueryTimeout = max(cfg.ClickHouse.QueryTimeout, 10*time.Minute)
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return seed.Report{}, err
	}
	defer pool.Close()
	client := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	defer client.Close()
	if err := maySeed(ctx, cfg, pool, client, options.CreateSchema); err != nil {
		return seed.Report{}, err
	}
	past, err := ledger.NewBulk(ctx, cfg.Kafka.Topic(cfg.Events.Topic), cfg.Events.Partitions, client,
		core.SystemClock{})
	if err != nil {
		return seed.Report{}, err
	}
	copies, err := replica.NewBulk(ctx, pool, client)
	if err != nil {
		return seed.Report{}, err
	}
	options.CommitRows, options.EventBatch = 100_000, 10_000
	report, err := seed.Run(ctx, options, seed.Sinks{
		Postgres: pool, Events: past,
		Copied: func(ctx context.Context, table string, rows [][]any) error {
			kind, mapped := asMapped(table, rows)
			return copies.Write(ctx, kind, mapped)
		},
	}, core.SystemClock{}, out)
	if err != nil {
		return report, err
	}
	if err := past.Flush(ctx); err != nil {
		return report, err
	}
	changes, err := cdc.NewSource(cfg.CDC, cfg.Kafka, source.Params{
		Postgres: cfg.Postgres, Clock: core.SystemClock{}, Log: zap.NewNop(), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return report, err
	}
	// known: it brings the rows once more
	if err := changes.Adopt(ctx); err != nil && !errors.Is(err, source.ErrKnown) {
		return report, err
	}
	// What a running system has merged long since.
	for _, table := range []string{
		"users", "posts", "follows", "comments", "likes", "blocks", "viewer_edges",
		"post_metrics_1h", "user_author_90d",
	} {
		if err := client.Write(ctx, clickhouse.Query{
			Name:  "seed_optimize",
			Query: ch.Query{Body: "OPTIMIZE TABLE " + table + " FINAL"},
		}); err != nil {
			return report, err
		}
	}
	return report, nil
}

// maySeed finds out what would keep a world from being written, before anything is claimed that stays claimed.
func maySeed(ctx context.Context, cfg config.Config, pool *pgxpool.Pool, client *clickhouse.Client, create bool) error {
	pending, err := pendingMigrations(ctx, cfg, pool)
	switch {
	case err != nil:
		return err
	case pending != "":
		return fmt.Errorf("our schema in %s is not up to date: run `feedrank migrate` with this configuration first",
			pending)
	}
	if err := ledger.HasPast(ctx, client); err != nil {
		if errors.Is(err, ledger.ErrBegun) {
			return fmt.Errorf("%w: name another clickhouse.database and migrate it, or send the events into the topic with --topic", err)
		}
		return err
	}
	return seed.Check(ctx, pool, create)
}

// pendingMigrations names the database in which there is something to migrate; empty: none.
func pendingMigrations(ctx context.Context, cfg config.Config, pool *pgxpool.Pool) (where string, err error) {
	pending := func(s migrate.State) bool { return !s.Applied }
	err = pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		states, err := migrate.Postgres(ctx, c.Conn(), true)
		if slices.ContainsFunc(states, pending) {
			where = "PostgreSQL"
		}
		return err
	})
	if err != nil || where != "" {
		return where, err
	}
	states, err := migrate.ClickHouse(ctx, cfg.ClickHouse, true)
	if clickhouse.IsUnknownDatabase(err) {
		return "ClickHouse", nil
	}
	if slices.ContainsFunc(states, pending) {
		where = "ClickHouse"
	}
	return where, err
}

// asMapped reads rows of the example schema as the default mapping does. Keys of several columns are
// in the order of the columns' names.
func asMapped(table string, rows [][]any) (kind mapping.Kind, mapped []mapping.Row) {
	mapped = make([]mapping.Row, len(rows))
	id := func(row []any, i int) int64 { n, _ := row[i].(int64); return n }
	when := func(row []any, i int) time.Time { t, _ := row[i].(time.Time); return t.UTC() }
	word := func(row []any, i int) string { s, _ := row[i].(string); return s }
	pair := func(row []any) mapping.Row { // the name of the second column comes first in all of them
		r := mapping.Row{First: id(row, 0), Other: id(row, 1), CreatedAt: when(row, 2)}
		r.Key = strconv.FormatInt(r.Other, 10) + ":" + strconv.FormatInt(r.First, 10)
		return r
	}
	for i, row := range rows {
		switch table {
		case "users":
			kind, mapped[i] = mapping.User, mapping.Row{
				Key: fmt.Sprint(row[0]), ID: id(row, 0),
				CreatedAt: when(row, 2),
			}
		case "posts":
			deleted, _ := row[6].(*time.Time)
			kind, mapped[i] = mapping.Post, mapping.Row{
				Key: fmt.Sprint(row[0]), ID: id(row, 0), First: id(row, 1), CreatedAt: when(row, 4),
				Hidden: word(row, 3) != "published" || deleted != nil,
			}
		case "follows":
			kind, mapped[i] = mapping.Follow, pair(row) // followee_id, follower_id
		case "blocks":
			kind, mapped[i] = mapping.Block, pair(row) // blocked_id, blocker_id
		case "mutes":
			kind, mapped[i] = mapping.Mute, pair(row) // muted_id, muter_id
		case "likes":
			kind, mapped[i] = mapping.Like, pair(row) // post_id, user_id
		case "comments":
			kind, mapped[i] = mapping.Comment, mapping.Row{
				Key: fmt.Sprint(row[0]), First: id(row, 1),
				Other: id(row, 2), CreatedAt: when(row, 3),
			}
		}
	}
	return kind, mapped
}
