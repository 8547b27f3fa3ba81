package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

// computed tells how often a computation went to ClickHouse.
func (w *world) computed() int64 { return w.away.clickhouse.calls.Load() }

func TestWhileRedisIsAwayWhatAReplicaReadAndComputedIsItsCache(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4, 5, 6)
	for author := 2; author <= 6; author++ {
		w.post(100+author, author, time.Duration(author)*time.Hour)
	}
	w.load()
	w.record(1, core.ActionHide, 6, 106)
	w.cached(1, "")
	w.away.redis.closed.Store(true)

	before := w.computed()
	p := w.get(1, "limit=1")
	require.Equal(t, "cache", p.ServedFrom)
	require.True(t, p.Degraded, "what was seen in the last moments is not known")
	w.block(1, 2)
	w.unfollow(1, 3)
	want := []core.ID{103, 104, 105} // 103 is popular
	require.ElementsMatch(t, want, w.get(1, "").posts())
	require.NotContains(t, append(p.posts(), w.get(1, "limit=10&"+p.next()).posts()...), core.ID(106))
	require.Equal(t, before, w.computed(), "nothing was computed")

	w.clock.advance(5 * time.Minute)
	w.load()
	p = w.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom, "something may have happened that this replica was not told of")
	require.ElementsMatch(t, want, p.posts())
	wait.Until(t, func() bool { return w.get(1, "").ServedFrom == "cache" })
	before = w.computed()
	require.ElementsMatch(t, want, w.get(1, "").posts())
	require.Equal(t, before, w.computed(), "once is enough")

	w.flush()
	w.away.redis.closed.Store(false) // back, and empty
	require.ElementsMatch(t, want, w.get(1, "").posts())
	require.ElementsMatch(t, want, w.cached(1, "").posts())
}

func TestAnOldEntryOutlivesThatRedisLostIt(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	for author := 2; author <= 4; author++ {
		w.post(100+author, author, time.Duration(author)*time.Hour)
	}
	w.load()
	w.cached(1, "")
	w.flush()
	w.event(1, core.ActionView, 104) // there is something of the viewer in Redis again
	w.block(1, 2)                    // and a mark that an entry has to know of this
	w.away.clickhouse.closed.Store(true)
	for range 2 {
		p := w.get(1, "")
		require.Equal(t, "stale", p.ServedFrom, "before PostgreSQL is asked")
		require.Equal(t, []core.ID{103}, p.posts())
	}
}

func TestWhereNothingAnswersNoComputationBeginsAnew(t *testing.T) {
	w := newWorld(t, 20)
	w.post(102, 2, time.Hour)
	w.load()
	w.away.clickhouse.closed.Store(true)
	w.away.postgres.closed.Store(true)
	before := w.computed()
	require.Equal(t, "trending", w.get(1, "").ServedFrom)
	require.Equal(t, before+1, w.computed())
}

// guard is a server's guard as a function.
type guard func(context.Context, func(context.Context) error) error

func (g guard) Do(ctx context.Context, call func(context.Context) error) error { return g(ctx, call) }

func TestATimelineIsNotEmptyBecauseItsFolloweesCouldNotBeRead(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Hour)
	w.load()
	w.away.clickhouse.closed.Store(true)
	var calls int
	w.guards.Postgres = guard(func(ctx context.Context, call func(context.Context) error) error {
		if calls++; calls == 1 { // for the graph
			return errAway
		}
		return w.away.postgres.Do(ctx, call)
	})
	w.start()
	w.load()
	p := w.get(1, "algo=timeline")
	require.Equal(t, []core.ID{102}, p.posts())
	require.Equal(t, "postgres", p.ServedFrom)
	require.True(t, p.Degraded)

	w.away.postgres.closed.Store(true)
	p = w.get(4, "algo=timeline")
	require.ElementsMatch(t, []core.ID{102, 103}, p.posts(), "nobody can say whom they follow")
	require.Equal(t, "trending", p.ServedFrom)
	require.True(t, p.Degraded)
}

func TestAComputationThatIsLateIsWaitedForWherePostgresFails(t *testing.T) {
	w := newWorld(t, 20)
	answers := make(chan struct{})
	w.guards.Postgres = guard(func(context.Context, func(context.Context) error) error {
		w.away.clickhouse.hold.Store(nil)
		close(answers)
		return errAway
	})
	w.cfg.ComputeWait = time.Millisecond
	w.start()
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	w.away.clickhouse.hold.Store(&answers)
	before := w.computed()
	require.Equal(t, "clickhouse", w.get(1, "").ServedFrom)
	require.Equal(t, before+1, w.computed(), "it is the same computation")
}

func TestAReplicaGivesRedisBackWhatItLostOfAViewer(t *testing.T) {
	one, two := twoReplicas(t, time.Second)
	one.post(103, 3, time.Hour)
	one.load()
	two.load()
	one.record(1, core.ActionHide, 2, 102)
	require.Equal(t, []core.ID{103}, one.cached(1, "").posts())
	one.flush()
	one.away.clickhouse.closed.Store(true)
	two.away.clickhouse.closed.Store(true)
	require.Equal(t, []core.ID{103}, one.get(1, "").posts())
	wait.Until(t, func() bool { return len(two.get(1, "").Items) == 1 }, "who has never seen the viewer knows as well")
}

// While ClickHouse is away the consumers wait for it, so that nobody tells the cache entries.
func TestWhatAViewerChangesHoldsAtOnceWhileTheConsumersWaitForClickHouse(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4, 5)
	for author := 2; author <= 8; author++ {
		w.post(100+author, author, time.Duration(author)*time.Hour)
		w.engage(100+author, author, 100, 5)
	}
	w.load()
	require.Equal(t, []core.ID{102, 103, 104, 105, 106, 107, 108}, w.cached(1, "").posts())
	session := w.get(1, "limit=1").next()
	w.away.clickhouse.closed.Store(true)

	w.block(1, 2)
	w.block(3, 1)
	w.mute(1, 4)
	w.record(1, core.ActionHide, 6, 106)
	w.unfollow(1, 5)
	w.follow(1, 7)
	check := func(user int, cursor string) {
		t.Helper()
		require.ElementsMatch(t, []core.ID{105, 107, 108}, w.get(user, cursor).posts(), "page")
		require.ElementsMatch(t, []core.ID{107}, w.get(user, "algo=timeline").posts(), "timeline")
		require.ElementsMatch(t, []core.ID{105, 107, 108}, w.list(user, "/api/v1/feed/trending").posts(), "trending")
	}
	check(1, "")
	require.Equal(t, "cache", w.get(1, "").ServedFrom)
	require.ElementsMatch(t, []core.ID{105, 107, 108}, w.get(1, session).posts(), "a session that goes on")
	require.NotContains(t, w.get(2, "").posts(), core.ID(101))

	w.unblock(1, 2)
	w.unmute(1, 4)
	require.ElementsMatch(t, []core.ID{102, 104, 105, 107, 108}, w.get(1, "").posts())
	w.block(1, 2)
	w.mute(1, 4)
	w.back()
	check(1, "")
	w.cached(1, "")
	check(1, "")
}
