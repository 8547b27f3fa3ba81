package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

// TestAPostComesAtTheTimeThatItIsDated makes a reserve while a post is dated ahead. No change says that its time has
// come, and no computation looks for it.
func TestAPostComesAtTheTimeThatItIsDated(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.load()
	w.post(103, 3, -3*time.Minute)
	w.post(104, 3, -2*time.Second) // the app's clock is ahead
	require.Equal(t, []core.ID{104, 102}, w.cached(1, "").posts())
	require.Equal(t, "dated_ahead", w.whyNot(1, 103).Rule)

	w.clock.advance(2 * time.Minute)
	require.Equal(t, []core.ID{104, 102}, w.cached(1, "").posts())
	w.clock.advance(time.Minute)
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{103, 102, 104}, p.posts(), "two of one author do not stand together")
	require.Equal(t, []core.ID{103, 104, 102}, w.get(1, "algo=timeline").posts())
}

// TestAnImportKeepsItsDates brings in posts of last year and of yesterday beside one of now: they are ranked by when
// they were made, not by when they came.
func TestAnImportKeepsItsDates(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	w.post(102, 2, time.Hour)
	w.load()
	w.cached(1, "")
	w.post(103, 3, 24*time.Hour)
	w.post(104, 4, 365*24*time.Hour)
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{102, 103, 104}, p.posts())
	require.Equal(t, []core.ID{102, 103, 104}, w.get(1, "algo=timeline").posts())
}

// TestAMuteAndABlockEndWithoutAChange makes an entry, a session and what the replica heard of while somebody is muted
// and somebody blocks; then time passes, and nothing else happens.
func TestAMuteAndABlockEndWithoutAChange(t *testing.T) {
	w := newWorld(t, 20, func(c *feed.Config) { c.Cache.TTL = time.Hour })
	w.withEnds()
	w.follow(1, 2, 3, 4)
	w.follow(7, 2, 4)
	for author := 2; author <= 4; author++ {
		w.post(100+author, author, time.Duration(author)*time.Hour)
	}
	w.load()
	w.muteUntil(1, 2, w.clock.Now().Add(20*time.Minute))
	w.muteUntil(7, 2, w.clock.Now().Add(30*time.Minute))
	w.blockUntil(3, 1, w.clock.Now().Add(30*time.Minute))
	shownTo := func(user int, from, query string, want ...core.ID) {
		t.Helper()
		p := w.get(user, query)
		require.Equal(t, from, p.ServedFrom)
		require.ElementsMatch(t, want, p.posts())
	}
	shown := func(from, query string, want ...core.ID) {
		t.Helper()
		shownTo(1, from, query, want...)
	}
	require.Equal(t, []core.ID{104}, w.cached(1, "").posts())
	shown("cache", "algo=timeline", 104)

	w.pass(20*time.Minute - time.Second)
	shown("cache", "", 104)
	require.Equal(t, "muted", w.whyNot(1, 102).Rule)
	w.pass(time.Second)
	shown("clickhouse", "", 102, 104)
	require.Equal(t, []core.ID{102, 104}, w.cached(1, "").posts())
	shown("cache", "algo=timeline", 102, 104)
	require.Equal(t, "blocked_by", w.whyNot(1, 103).Rule)

	w.away.clickhouse.closed.Store(true)
	w.pass(10*time.Minute - time.Second)
	shownTo(7, "postgres", "", 103, 104)
	w.pass(time.Second)
	shownTo(7, "postgres", "", 102, 103, 104)
	shown("stale", "", 102, 103, 104)
	shown("stale", "algo=timeline", 102, 103, 104)
	w.back()
	require.ElementsMatch(t, []core.ID{102, 103, 104}, w.cached(1, "").posts())
}

// TestAnEndThatIsPutOffHolds mutes somebody anew, for longer, before the first mute has ended.
func TestAnEndThatIsPutOffHolds(t *testing.T) {
	w := newWorld(t, 20)
	w.withEnds()
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Hour)
	w.load()
	w.muteUntil(1, 2, w.clock.Now().Add(5*time.Minute))
	require.Equal(t, []core.ID{103}, w.cached(1, "").posts())
	until := w.clock.Now().Add(10 * time.Minute)
	w.sql("UPDATE mutes SET until = $1", until)
	w.edgeUntil("mute", 1, 2, 0, until)
	w.changedUntil(core.Muted, 1, 2, until)
	w.pass(6 * time.Minute)
	require.Equal(t, []core.ID{103}, w.get(1, "").posts())
	require.Equal(t, []core.ID{103}, w.cached(1, "").posts())
	w.pass(4 * time.Minute)
	require.ElementsMatch(t, []core.ID{102, 103}, w.get(1, "").posts())
}
