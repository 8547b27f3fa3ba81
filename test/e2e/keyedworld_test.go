package e2e

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/keys"
	"github.com/feedrank/feedrank/modules/lab/seed"
	synthetic "github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// TestAWorldOfUUIDsWrittenInBulkIsOneThatWasApplied is TestAWorldWrittenInBulkIsOneThatWasApplied of a world whose
// users and posts have UUIDs.
func TestAWorldOfUUIDsWrittenInBulkIsOneThatWasApplied(t *testing.T) {
	s := stack.New(t)
	exec(t, s, `DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`)
	cfg := settings(t, s, "events-consumer", "cdc-source", "cdc-consumer")
	cfg.Keys = keys.DefaultConfig()
	cfg.Keys.Users, cfg.Keys.Posts = core.UUIDKeys, core.UUIDKeys
	cfg = cfg.WithKeyForms()
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	options := seed.DefaultOptions()
	options.Keys, options.CreateSchema = seed.Keys(core.UUIDKeys), true
	options.World = synthetic.Options{
		Seed: 7, Users: 200, Follows: 3000, Posts: 600, Events: 6000, Blocks: 20, Window: 72 * time.Hour,
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
		record := codec.FromCore(&e)
		record.SetKeys(options.Keys.User(e.UserID), options.Keys.Post(e.PostID), options.Keys.User(e.AuthorID))
		require.NoError(t, producer.Send(t.Context(), codec.Encode(cfg.Kafka.Topic(cfg.Events.Topic), &record)))
	}
	require.NoError(t, producer.Close())
	exec(t, s, `UPDATE posts SET deleted_at = now() WHERE id = $1`, options.Keys.Post(1).Text)

	start(t, cfg)
	wait.Until(t, func() bool {
		return s.Count(t, "SELECT count() AS n FROM events WHERE epoch = 1") == 1
	})
	require.EqualValues(t, options.World.Events+1, s.Count(t, "SELECT count() AS n FROM events"))
	differences, err = app.Resync(t.Context(), cfg, "", false, 5*time.Second, io.Discard)
	require.NoError(t, err)
	require.Zero(t, differences)
}
