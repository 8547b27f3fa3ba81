package feed_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/test/wait"
)

// onlyOwn leaves popular posts out, so that a page is what the sources gave.
func onlyOwn(cfg *feed.Config) { cfg.Sources.Popular.Limit = 0 }

// busyWorld has a viewer with followees who post a lot, and strangers of whom one begins to trend later.
func busyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 40, onlyOwn)
	w.follow(1, 2, 3, 4, 5, 6, 7, 8, 9)
	for i := range 80 {
		w.post(1000+i, 2+i%8, time.Duration(i)*20*time.Minute)
	}
	for author := 20; author <= 30; author++ {
		w.post(2000+author, author, time.Hour)
	}
	w.engage(2020, 20, 40, 10)
	w.interact(1, 3, 4)
	w.load()
	w.cached(1, "")
	return w
}

func TestAPageOfAnOldEntryIsTheOneThatWouldBeComputed(t *testing.T) {
	w := busyWorld(t)
	w.clock.advance(25 * time.Minute)
	w.post(3000, 4, 3*time.Minute)
	w.post(3001, 9, 10*time.Minute)
	w.post(3002, 31, 10*time.Minute) // of a stranger, and nobody looks at it
	w.deletePost(1003)
	w.engage(1040, 2, 50, 45)
	w.engage(2025, 25, 50, 49) // it had not been trending
	w.engage(2020, 20, 500, 0) // it had
	w.load()
	w.away.clickhouse.closed.Store(true) // so that it stays as old as it is
	pages := map[string]page{"limit=30": w.get(1, "limit=30"), "limit=100": w.get(1, "limit=100")}
	w.away.clickhouse.closed.Store(false)
	for query, old := range pages {
		require.Equal(t, "cache", old.ServedFrom)
		require.False(t, old.Degraded)
		require.Subset(t, old.posts(), []core.ID{3000, 3001, 1040, 2025})
		status, _ := w.do(http.MethodDelete, 1, "/admin/v1/cache/1", "")
		require.Equal(t, http.StatusNoContent, status)
		computed := w.get(1, query)
		require.Equal(t, "clickhouse", computed.ServedFrom)
		require.Equal(t, computed.posts(), old.posts())
		for i := range computed.Items {
			require.InDelta(t, computed.Items[i].Score, old.Items[i].Score, 1e-3)
			require.Equal(t, computed.Items[i].Source, old.Items[i].Source)
		}
	}
}

func TestAnEntryThatIsDueIsComputedAnewAfterItWasUsed(t *testing.T) {
	w := busyWorld(t)
	w.interact(1, 9, 500)
	computed := w.away.clickhouse.calls.Load()
	require.Equal(t, "cache", w.get(1, "limit=1").ServedFrom)
	require.Equal(t, computed, w.away.clickhouse.calls.Load(), "it is young")
	w.clock.advance(3 * time.Minute)
	require.NoError(t, w.hot.Refresh(t.Context(), true))
	require.Equal(t, "cache", w.get(1, "limit=1").ServedFrom)
	wait.Until(t, func() bool {
		p := w.get(1, "limit=1")
		return p.ServedFrom == "cache" && p.Items[0].Author == 9
	}, "what the viewer did meanwhile counts")
	require.Equal(t, computed+1, w.away.clickhouse.calls.Load(), "once")

	status, body := w.do(http.MethodPut, 1, "/admin/v1/ranking", `{"version":0,"ranking":{"weights":{"freshness":5}}}`)
	require.Equal(t, http.StatusOK, status, string(body))
	wait.Until(t, func() bool { // a look may come in the rest after the computation before
		return w.get(1, "limit=1").ServedFrom == "cache" && w.away.clickhouse.calls.Load() == computed+2
	}, "another ranking would have chosen other candidates")
}

func TestAReplicaThatBeganSinceAnEntryWasMadeShowsWhatArrivedBefore(t *testing.T) {
	w := busyWorld(t)
	w.clock.advance(10 * time.Minute)
	w.post(3000, 4, time.Minute)
	w.post(3001, 31, time.Minute)
	w.engage(2025, 25, 50, 49)
	w.start()
	w.load()
	p := w.get(1, "limit=30")
	require.Equal(t, "cache", p.ServedFrom)
	require.Contains(t, p.posts(), core.ID(3000))
	require.Contains(t, p.posts(), core.ID(2025), "began to trend")
	require.NotContains(t, p.posts(), core.ID(3001), "of a stranger")
}

func TestNewPopularPostsReachACachedFeedOfWhomLittleIsKnown(t *testing.T) {
	w := newWorld(t, 40)
	for i := range 30 {
		w.post(100+i, 2+i, 5*time.Hour)
	}
	w.load()
	w.cached(1, "")
	w.clock.advance(20 * time.Minute)
	w.post(500, 20, time.Minute)
	w.load()
	p := w.get(1, "limit=5")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, core.ID(500), p.posts()[0])
}
