package e2e

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/lab/seed"
	synthetic "github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// A world that was written in bulk is to be no different from one that came through Kafka: the audit
// and the comparison find nothing, changes go on from it, and its events are recognised.
func TestAWorldWrittenInBulkIsOneThatWasApplied(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "events-consumer", "cdc-source", "cdc-consumer")
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	options := seed.DefaultOptions()
	options.World = synthetic.Options{
		Seed: 7, Users: 400, Follows: 8000, Posts: 1500, Events: 20_000, Blocks: 30, Window: 72 * time.Hour,
		Recent: 24 * time.Hour, Now: time.Now(),
	}
	_, err = lab.SeedBulk(t.Context(), cfg, options, io.Discard)
	require.NoError(t, err)

	require.NoError(t, app.WithAudit(t.Context(), cfg, func(a *audit.Service) error {
		report, err := a.Run(t.Context(), a.Defaults())
		require.NoError(t, err)
		require.Empty(t, report.Findings)
		require.EqualValues(t, options.World.Events, report.Checked.Rows)
		return nil
	}))
	differences, err := app.Resync(t.Context(), cfg, "", false, 0, io.Discard)
	require.NoError(t, err)
	require.Zero(t, differences)
	_, err = lab.SeedBulk(t.Context(), cfg, options, io.Discard)
	require.ErrorIs(t, err, ledger.ErrBegun)

	// A copy of one of its events, then a new one of the same user, in the same partition.
	made, err := synthetic.New(options.World)
	require.NoError(t, err)
	var again core.Event
	for session := range made.Sessions() {
		again = session[0]
		break
	}
	fresh := again
	fresh.ID[0]++
	producer := kafka.NewProducer(cfg.Kafka)
	for _, e := range []core.Event{again, fresh} {
		e.ReceivedAt = time.Now()
		require.NoError(t, producer.Send(t.Context(), codec.Record(cfg.Kafka.Topic(cfg.Events.Topic), e)))
	}
	require.NoError(t, producer.Close())
	_, err = s.Postgres.Exec(t.Context(), "UPDATE posts SET deleted_at = now() WHERE id = 1")
	require.NoError(t, err)
	_, err = s.Postgres.Exec(t.Context(), "DELETE FROM follows WHERE follower_id = 2")
	require.NoError(t, err)

	start(t, cfg)
	wait.Until(t, func() bool {
		return s.Count(t, "SELECT count() AS n FROM events WHERE epoch = 1") == 1 &&
			s.Count(t, "SELECT count() AS n FROM posts FINAL WHERE id = 1 AND hidden") == 1 &&
			s.Count(t, "SELECT count() AS n FROM viewer_edges FINAL WHERE viewer_id = 2 AND kind = 'follow'") == 0
	})
	require.EqualValues(t, options.World.Events+1, s.Count(t, "SELECT count() AS n FROM events"))
	require.EqualValues(t, options.World.Posts+1, s.Count(t, "SELECT count() AS n FROM posts"), "it was not read again")
	differences, err = app.Resync(t.Context(), cfg, "", false, 5*time.Second, io.Discard)
	require.NoError(t, err)
	require.Zero(t, differences)
}

// TestWhatKeepsADatabaseFromBeingSeededIsToldBeforeAnythingIsClaimed goes the way of somebody who tries, reads and
// does what it says.
func TestWhatKeepsADatabaseFromBeingSeededIsToldBeforeAnythingIsClaimed(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "events-consumer")
	options := seed.DefaultOptions()
	options.World = synthetic.Options{
		Seed: 7, Users: 100, Follows: 1000, Posts: 200, Events: 1000, Window: 72 * time.Hour, Recent: 24 * time.Hour,
		Now: time.Now(),
	}
	try := func() error {
		_, err := lab.SeedBulk(t.Context(), cfg, options, io.Discard)
		return err
	}
	migrated := cfg
	cfg.ClickHouse.Database = cfg.ClickHouse.Database + "_new"
	require.ErrorContains(t, try(), "our schema in ClickHouse is not up to date: run `feedrank migrate`")
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.ClickHouse.Write(context.WithoutCancel(t.Context()),
			clickhouse.Query{Name: "test", Query: ch.Query{Body: "DROP DATABASE " + cfg.ClickHouse.Database}}))
	})
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE users RENAME TO members")
	require.NoError(t, err)
	require.ErrorIs(t, try(), seed.ErrNoTables)
	require.ErrorIs(t, try(), seed.ErrNoTables, "and nothing was claimed")
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE members RENAME TO users")
	require.NoError(t, err)
	_, err = s.Postgres.Exec(t.Context(), "INSERT INTO users (id, name) VALUES (1, 'one')")
	require.NoError(t, err)
	require.ErrorIs(t, try(), seed.ErrNotEmpty)
	_, err = s.Postgres.Exec(t.Context(), "DELETE FROM users")
	require.NoError(t, err)
	require.NoError(t, try())
	require.ErrorContains(t, try(), "--topic")

	cfg = migrated
	_, err = s.Postgres.Exec(t.Context(), "DROP SCHEMA feedrank CASCADE")
	require.NoError(t, err)
	require.ErrorContains(t, try(), "our schema in PostgreSQL is not up to date: run `feedrank migrate`")
}
