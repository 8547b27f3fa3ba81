package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

func TestWarmingComputesAheadWhatIsNotFresh(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	require.Error(t, w.feed.Warm(t.Context(), 1), "a replica that is cold itself warms nobody")
	w.load()
	require.NoError(t, w.feed.Warm(t.Context(), 1))
	wait.Until(t, func() bool { return w.away.redis.calls.Load() >= 3 })
	p := w.cached(1, "")
	require.Equal(t, []core.ID{102}, p.posts())

	calls := w.away.clickhouse.calls.Load()
	require.NoError(t, w.feed.Warm(t.Context(), 1))
	require.Equal(t, calls, w.away.clickhouse.calls.Load(), "it is fresh")
	w.clock.advance(20 * time.Minute)
	require.NoError(t, w.hot.Refresh(t.Context(), true))
	wait.Until(t, func() bool { // the lease of the first computation may outlast it a little
		return w.feed.Warm(t.Context(), 1) == nil && w.away.clickhouse.calls.Load() > calls
	}, "its time is half over")
	wait.Until(t, func() bool { return !w.feed.Busy() })

	w.away.redis.closed.Store(true)
	require.Error(t, w.feed.Warm(t.Context(), 1))
}

func TestOneReplicaRefreshesAnExpiredEntryWhileAllServeIt(t *testing.T) {
	one, two := twoReplicas(t, 5*time.Second)
	one.cached(1, "")
	one.clock.advance(35 * time.Minute)
	require.NoError(t, one.hot.Refresh(t.Context(), true))
	require.NoError(t, two.hot.Refresh(t.Context(), true))
	before := one.away.clickhouse.calls.Load()
	hold := make(chan struct{})
	one.away.clickhouse.hold.Store(&hold)
	require.Equal(t, "stale", one.get(1, "").ServedFrom)
	wait.Until(t, func() bool { return one.away.clickhouse.calls.Load() == before+1 })
	for range 5 {
		for _, w := range []*world{one, two} {
			p := w.get(1, "")
			require.Equal(t, "stale", p.ServedFrom)
			require.False(t, p.Degraded)
			require.Equal(t, []core.ID{102}, p.posts())
		}
	}
	require.Zero(t, two.away.clickhouse.calls.Load(), "the other replica leaves it alone")
	close(hold)
	require.Equal(t, []core.ID{102}, two.cached(1, "").posts())
	require.Equal(t, before+1, one.away.clickhouse.calls.Load(), "it was computed once")
}

func TestAnEntryOfAnotherVersionIsComputedAnew(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	conn, err := w.redis.Conn()
	require.NoError(t, err)
	for _, entry := range []string{
		"\x00an entry of the version before", "\x02one of the version after",
		"\x01one that is cut off", "\x01",
	} {
		require.NoError(t, conn.Do(t.Context(), conn.B().Set().Key("feed:v1:{1}").Value(entry).Build()).Error())
		p := w.get(1, "")
		require.Equal(t, "clickhouse", p.ServedFrom)
		require.False(t, p.Degraded)
		require.Equal(t, []core.ID{102}, p.posts())
		w.cached(1, "")
	}
	require.NoError(t, conn.Do(t.Context(),
		conn.B().Set().Key("feed:v1:{1}").Value("\x02one of the version after").Build()).Error())
	w.block(1, 2) // a replica of this version tells an entry of another one
	require.Empty(t, w.get(1, "").Items)
}

// twoReplicas are two feeds over the same servers.
func twoReplicas(t *testing.T, wait time.Duration) (one, two *world) {
	t.Helper()
	w := newWorld(t, 20, func(c *feed.Config) { c.Cache.LeaseWait = wait })
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	other := &world{Stack: w.Stack, t: t, clock: w.clock, cfg: w.cfg, redis: w.redis}
	other.start()
	other.load()
	return w, other
}

func TestAMissIsComputedByOneReplicaAndSharedWithTheOthers(t *testing.T) {
	one, two := twoReplicas(t, 5*time.Second)
	hold := make(chan struct{})
	one.away.clickhouse.hold.Store(&hold)
	pages := make(chan page, 2)
	go func() { pages <- one.get(1, "") }()
	wait.Until(t, func() bool { return one.away.clickhouse.calls.Load() == 1 })
	before := two.away.redis.calls.Load()
	go func() { pages <- two.get(1, "") }()
	wait.Until(t, func() bool { return two.away.redis.calls.Load() >= before+4 }, "it looks again and again")
	close(hold)
	served := []string{}
	for range 2 {
		p := <-pages
		require.Equal(t, []core.ID{102}, p.posts())
		served = append(served, p.ServedFrom)
	}
	require.ElementsMatch(t, []string{"clickhouse", "cache"}, served)
	require.Zero(t, two.away.clickhouse.calls.Load())
}

func TestAReplicaThatWaitsTooLongComputesAnyway(t *testing.T) {
	one, two := twoReplicas(t, 30*time.Millisecond)
	hold := make(chan struct{})
	one.away.clickhouse.hold.Store(&hold)
	answered := make(chan page, 1)
	go func() { answered <- one.get(1, "") }()
	wait.Until(t, func() bool { return one.away.clickhouse.calls.Load() == 1 })
	p := two.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.False(t, p.Degraded)
	require.Equal(t, []core.ID{102}, p.posts())
	close(hold)
	require.Equal(t, []core.ID{102}, (<-answered).posts())
}
