package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

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
