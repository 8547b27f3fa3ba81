package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

// trendingWorld has five posts that trend, each of an author of its own: 102 of 2 to 106 of 6.
func trendingWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 20)
	for author := 2; author <= 6; author++ {
		w.post(100+author, author, 30*time.Minute)
		w.engage(100+author, author, 100, 60-author)
	}
	w.load()
	return w
}

func TestTrendingIsTheSameListWhateverWasSeen(t *testing.T) {
	w := trendingWorld(t)
	all := []core.ID{102, 103, 104, 105, 106}
	windows := []string{"1h", "24h", "7d"}
	for _, window := range windows {
		require.Equal(t, all, w.list(1, "/api/v1/feed/trending?window="+window).posts(), window)
	}
	w.event(1, core.ActionImpression, all...)
	w.event(1, core.ActionView, 102)
	for _, window := range windows {
		require.Equal(t, all, w.list(1, "/api/v1/feed/trending?window="+window).posts(), window)
	}
	w.event(1, core.ActionHide, 103)
	w.mute(1, 4)
	w.block(5, 1)
	for _, window := range windows {
		require.Equal(t, []core.ID{102, 106}, w.list(1, "/api/v1/feed/trending?window="+window).posts(), window)
		require.Equal(t, []core.ID{103, 104, 105, 106}, w.list(2, "/api/v1/feed/trending?window="+window).posts(),
			"but for one's own")
	}
}

func TestATimelineIsCompleteThoughItWasSeen(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2)
	all := []core.ID{}
	for i := range 6 { // the last two are older than the hot set's window
		all = append(all, w.post(100+i, 2, time.Minute+time.Duration(i)*17*time.Hour))
	}
	w.load()
	w.event(1, core.ActionImpression, all...)
	require.Equal(t, all, w.timeline(1, "limit=2&algo=timeline"))
	w.event(1, core.ActionHide, 101)
	require.Equal(t, append([]core.ID{100}, all[2:]...), w.timeline(1, "limit=2&algo=timeline"))
	w.away.clickhouse.closed.Store(true)
	w.away.redis.closed.Store(true)
	require.Equal(t, append([]core.ID{100}, all[2:]...), w.timeline(1, "limit=2&algo=timeline"))
}

func TestATimelineHidesWhatWasSeenWhereThatIsConfigured(t *testing.T) {
	w := newWorld(t, 10, func(c *feed.Config) { c.TimelineHidesSeen = true })
	w.follow(1, 2)
	for i := range 4 {
		w.post(100+i, 2, time.Duration(i)*time.Hour)
	}
	w.load()
	w.event(1, core.ActionImpression, 101, 103)
	require.Equal(t, []core.ID{100, 102}, w.timeline(1, "limit=1&algo=timeline"))
}

func TestATimelineInThePlaceOfARankedFeedHidesWhatWasSeenOnEachPage(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2)
	for i := range 5 {
		w.post(100+i, 2, time.Duration(i)*time.Hour)
	}
	w.away.clickhouse.closed.Store(true) // and there is no hot set
	w.event(1, core.ActionView, 101, 103)
	require.Equal(t, []core.ID{100, 102, 104}, w.timeline(1, "limit=1"))
	require.Equal(t, []core.ID{100, 101, 102, 103, 104}, w.timeline(1, "limit=1&algo=timeline"))
}

// timeline goes through all pages of a timeline, by their cursors alone, and leaves empty ones out.
func (w *world) timeline(user int, query string) (posts []core.ID) {
	w.t.Helper()
	for {
		p := w.get(user, query)
		require.Equal(w.t, "timeline", p.Algo)
		posts = append(posts, p.posts()...)
		if p.NextCursor == nil {
			return posts
		}
		query = "limit=2&" + p.next()
	}
}
