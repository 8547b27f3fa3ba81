package seed_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Postgres)) }

// kept is a sink that remembers.
type kept struct {
	mu     sync.Mutex
	events []core.Event
}

func (k *kept) Send(_ context.Context, events []core.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, events...)
	return nil
}

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.events)
}

func database(t *testing.T) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), embeddedtest.NewDatabase(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func small() seed.Options {
	opts := seed.DefaultOptions()
	opts.World = world.Options{
		Seed: 11, Users: 300, Follows: 6000, Posts: 2000, Events: 10_000, Blocks: 20,
		Window: 48 * time.Hour,
	}
	opts.CreateSchema, opts.CommitRows, opts.EventBatch = true, 700, 900
	return opts
}

func count(t *testing.T, pool *pgxpool.Pool, query string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, pool.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

func TestASeededDatabaseHoldsTheWholeWorldAndTheSinkItsEvents(t *testing.T) {
	pool, sink, out, opts := database(t), &kept{}, &bytes.Buffer{}, small()
	report, err := seed.Run(t.Context(), opts, seed.Sinks{Postgres: pool, Events: sink}, core.SystemClock{}, out)
	require.NoError(t, err)
	require.Equal(t, opts.World.Users, count(t, pool, "SELECT count(*) FROM users"))
	require.Equal(t, opts.World.Follows, count(t, pool, "SELECT count(*) FROM follows"))
	require.Equal(t, opts.World.Posts, count(t, pool, "SELECT count(*) FROM posts"))
	require.Equal(t, opts.World.Blocks, count(t, pool, "SELECT count(*) FROM blocks"))
	require.Equal(t, opts.World.Events, sink.count())
	require.NotZero(t, count(t, pool, "SELECT count(*) FROM mutes"))
	require.NotZero(t, count(t, pool, "SELECT count(*) FROM posts WHERE deleted_at IS NOT NULL"))

	likes, comments := 0, 0
	for _, e := range sink.events {
		switch e.Action {
		case core.ActionLike:
			likes++
		case core.ActionComment:
			comments++
		default:
		}
	}
	require.Equal(t, likes, count(t, pool, "SELECT count(*) FROM likes"))
	require.Equal(t, comments, count(t, pool, "SELECT count(*) FROM comments"))

	require.Equal(t, opts.World.Users, report.Rows("users"))
	require.Equal(t, opts.World.Events, report.Rows("events"))
	require.Equal(t, likes+comments, report.Rows("likes and comments"))
	require.Contains(t, out.String(), "follows")

	// The app goes on behind the world's ids.
	require.Equal(t, opts.World.Posts+1, count(t, pool, "INSERT INTO posts (author_id) VALUES (1) RETURNING id"))
	require.Equal(t, opts.World.Users+1, count(t, pool, "INSERT INTO users (name) VALUES ('new') RETURNING id"))

	_, err = seed.Run(t.Context(), opts, seed.Sinks{Postgres: pool}, core.SystemClock{}, out)
	require.ErrorIs(t, err, seed.ErrNotEmpty)
}

func TestADatabaseWithoutTablesIsRefusedWithWhatToDo(t *testing.T) {
	opts := small()
	opts.CreateSchema = false
	_, err := seed.Run(t.Context(), opts, seed.Sinks{Postgres: database(t)}, core.SystemClock{}, &bytes.Buffer{})
	require.ErrorIs(t, err, seed.ErrNoTables)
	require.ErrorContains(t, err, "--create-schema")
}

// stopping ends the run from within.
type stopping struct {
	kept
	stop context.CancelFunc
}

func (s *stopping) Send(ctx context.Context, events []core.Event) error {
	s.stop()
	return s.kept.Send(ctx, events)
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sink := &stopping{stop: cancel}
	_, err := seed.Run(ctx, small(), seed.Sinks{Events: sink}, core.SystemClock{}, &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, sink.count(), 2000)
}

func TestPeopleGoOnLivingInASeededDatabaseButForThoseWhoKeepOut(t *testing.T) {
	pool, sink, opts := database(t), &kept{}, small()
	_, err := seed.Run(t.Context(), opts, seed.Sinks{Postgres: pool}, core.SystemClock{}, &bytes.Buffer{})
	require.NoError(t, err)
	likes := count(t, pool, "SELECT count(*) FROM likes")
	except := []core.ID{1, 2, 3}

	ctx, cancel := context.WithCancel(t.Context())
	life := seed.NewLife(seed.LifeConfig{Seed: 1, Posts: 100, Sessions: 200, Except: except}, pool, sink,
		core.SystemClock{})
	ended := make(chan error, 1)
	go func() { ended <- life.Run(ctx) }()
	wait.Until(t, func() bool {
		posts, sessions, _ := life.Counts()
		return posts > 20 && sessions > 60
	})
	cancel()
	require.NoError(t, <-ended)

	posts, _, failures := life.Counts()
	require.Zero(t, failures)
	require.GreaterOrEqual(t, count(t, pool, "SELECT count(*) FROM posts"), opts.World.Posts+int(posts))
	require.Greater(t, count(t, pool, "SELECT count(*) FROM likes"), likes)
	require.Zero(t, count(t, pool, "SELECT count(*) FROM posts WHERE id > $1 AND author_id = ANY($2)", opts.World.Posts,
		[]int64{1, 2, 3}))
	for _, e := range sink.events {
		require.False(t, slices.Contains(except, e.UserID) || slices.Contains(except, e.AuthorID))
		require.NotEqual(t, e.UserID, e.AuthorID)
	}
}

func TestThereIsNoLifeWhereNobodyFollowsAnybody(t *testing.T) {
	pool, opts := database(t), small()
	_, err := seed.Run(t.Context(), opts, seed.Sinks{Postgres: pool}, core.SystemClock{}, &bytes.Buffer{})
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "TRUNCATE follows")
	require.NoError(t, err)
	require.ErrorIs(t, seed.NewLife(seed.LifeConfig{}, pool, &kept{}, core.SystemClock{}).Run(t.Context()),
		seed.ErrNobody)
}
