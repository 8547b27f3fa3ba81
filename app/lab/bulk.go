//go:build !production

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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
	"github.com/feedrank/feedrank/modules/keys"
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
	book := bulkBook{keys: options.Keys, users: map[core.ID]string{}, admit: keys.New(keys.Params{
		Config: cfg.Keys, ClickHouse: client, Clock: core.SystemClock{}, Registry: prometheus.NewRegistry(),
		Log: zap.NewNop(),
	}).Admit}
	past.NamedBy(book.user)
	copies, err := replica.NewBulk(ctx, pool, client)
	if err != nil {
		return seed.Report{}, err
	}
	options.CommitRows, options.EventBatch = 100_000, 10_000
	report, err := seed.Run(ctx, options, seed.Sinks{
		Postgres: pool, Events: keyedEvents{book, past},
		Copied: func(ctx context.Context, table string, rows [][]any) error {
			kind, mapped := asMapped(table, rows)
			if err := book.note(ctx, mapped); err != nil {
				return err
			}
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
		"post_metrics_1h", "user_author_90d", "keys",
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
	of := func(m *mapping.Row, row []any, i int) int64 {
		id, uuids := row[i].([16]byte)
		if !uuids {
			n, _ := row[i].(int64)
			return n
		}
		key, _ := core.ParseKey(seed.Text(id)) // a UUID is a key
		m.Keys = append(m.Keys, key)
		return int64(key.ID)
	}
	text := func(row []any, i int) string {
		if id, ok := row[i].([16]byte); ok {
			return seed.Text(id)
		}
		return fmt.Sprint(row[i])
	}
	when := func(row []any, i int) time.Time { t, _ := row[i].(time.Time); return t.UTC() }
	word := func(row []any, i int) string { s, _ := row[i].(string); return s }
	for i, row := range rows {
		m := &mapped[i]
		pair := func(k mapping.Kind) { // the name of the second column comes first in all of them
			kind = k
			m.First, m.Other, m.CreatedAt = of(m, row, 0), of(m, row, 1), when(row, 2)
			m.Key = text(row, 1) + ":" + text(row, 0)
		}
		switch table {
		case "users":
			kind, m.Key, m.ID, m.CreatedAt = mapping.User, text(row, 0), of(m, row, 0), when(row, 2)
		case "posts":
			deleted, _ := row[6].(*time.Time)
			kind, m.Key, m.ID, m.First = mapping.Post, text(row, 0), of(m, row, 0), of(m, row, 1)
			m.CreatedAt = when(row, 4)
			m.Hidden = word(row, 3) != "published" || deleted != nil
		case "follows":
			pair(mapping.Follow) // followee_id, follower_id
		case "blocks":
			pair(mapping.Block) // blocked_id, blocker_id
		case "mutes":
			pair(mapping.Mute) // muted_id, muter_id
		case "likes":
			pair(mapping.Like) // post_id, user_id
			m.Value = 1
		case "comments":
			kind, m.Key, m.First, m.Other = mapping.Comment, text(row, 0), of(m, row, 1), of(m, row, 2)
			m.CreatedAt = when(row, 3)
		}
	}
	return kind, mapped
}

// bulkBook knows the keys of what is written in bulk.
type bulkBook struct {
	keys  seed.Keys
	users map[core.ID]string
	admit func(ctx context.Context, keys []core.Key) (core.RefusedKeys, error)
}

// note has the keys of users and posts admitted, which all others refer to.
func (b bulkBook) note(ctx context.Context, rows []mapping.Row) error {
	var all []core.Key
	for _, row := range rows {
		if row.ID != 0 {
			all = append(all, row.Keys...)
		}
	}
	for some := range slices.Chunk(all, 4000) {
		refused, err := b.admit(ctx, some)
		if err == nil && len(refused) > 0 {
			err = errors.New("two UUIDs of the world have one number: take another --seed")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// user is the key of a user of an event.
func (b bulkBook) user(id core.ID) string { return b.users[id] }

// keyedEvents writes events under the numbers of their keys.
type keyedEvents struct {
	book bulkBook
	past *ledger.Bulk
}

// Send implements seed.EventSink.
func (k keyedEvents) Send(ctx context.Context, all []core.Event) error {
	if !k.book.keys.UUIDs() {
		return k.past.Send(ctx, all)
	}
	keyed := slices.Clone(all)
	for i := range keyed {
		e := &keyed[i]
		user := k.book.keys.User(e.UserID)
		k.book.users[user.ID] = user.Text
		e.UserID, e.PostID, e.AuthorID = user.ID, k.book.keys.Post(e.PostID).ID, k.book.keys.User(e.AuthorID).ID
	}
	return k.past.Send(ctx, keyed)
}
