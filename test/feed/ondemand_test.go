package feed_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/test/wait"
)

// sourceOK is what a page says of a source: whether it is named, and whether it held.
func (p page) sourceOK(name string) (named, ok bool) {
	for _, s := range p.Sources {
		if s.Name == name {
			return true, s.OK
		}
	}
	return false, false
}

// publish has the job publish posts as trending in every window.
func (w *world) publish(refused []core.ID, posts ...hot.Post) {
	var list published.List
	for i, p := range posts {
		list.Posts = append(list.Posts, hot.Ranked{Post: p, Value: float64(len(posts) - i)})
	}
	list.Suppressed = refused
	w.lists.Store(&map[string]published.List{"1h": list, "24h": list, "7d": list})
}

func TestAReplicaWhoseHotSetIsColdAsksClickHouseItself(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.block(1, 4)
	w.interact(1, 6, 9)
	now := w.clock.Now()
	trendy := hot.Post{ID: 105, Author: 5, Created: now.Add(-time.Hour).UnixMicro()}
	barred, gone := hot.Post{ID: 104, Author: 4, Created: trendy.Created},
		hot.Post{ID: 109, Author: 5, Created: trendy.Created}
	w.publish(nil, barred, gone, trendy)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.engage(103, 3, 100, 80)
	w.post(104, 4, time.Hour)
	w.post(105, 5, time.Hour)
	w.post(106, 6, time.Hour)
	w.post(109, 5, time.Hour)
	w.deletePost(109)

	w.start() // and its hot set is never loaded
	check := func(p page, from string) {
		t.Helper()
		require.Equal(t, from, p.ServedFrom)
		require.Equal(t, []core.ID{106, 103, 105, 102}, p.posts(),
			"affinity, engagement, trending (the younger one), followee")
		require.Equal(t, "ranked", p.Algo)
		require.True(t, p.Degraded)
		named, ok := p.sourceOK("hot set")
		require.True(t, named && !ok, "it is reported")
	}
	wait.Until(t, func() bool { // the published lists are read in the background
		return len(w.get(1, "").Items) == 4
	})
	w.do("DELETE", 1, "/admin/v1/cache/1", "")
	check(w.get(1, ""), "clickhouse")
	check(w.cached(1, ""), "cache")
	require.Equal(t, []core.ID{105}, w.list(1, "/api/v1/feed/trending?window=7d").posts())
	require.Equal(t, []core.ID{105}, w.list(1, "/api/v1/feed/trending").posts())
	require.Equal(t, []core.ID{102, 103}, w.get(1, "algo=timeline").posts())

	w.post(107, 2, 0)
	w.deletePost(106)
	w.start()
	require.Equal(t, []core.ID{103, 107}, w.get(1, "limit=2").posts(), "what came and went since the entry was made")
	w.load()
	require.False(t, w.get(1, "").Degraded)
}

func TestAHotSetThatIsTooOldIsReportedAndReplacedWhileClickHouseCanBeAsked(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.load()
	require.Equal(t, []core.ID{102, 103}, w.cached(1, "").posts())
	w.engage(103, 3, 100, 80) // nobody refreshes the set
	require.Equal(t, []core.ID{102, 103}, w.get(1, "").posts())
	w.clock.advance(6 * time.Minute)
	p := w.get(1, "")
	require.Equal(t, []core.ID{103, 102}, p.posts())
	require.True(t, p.Degraded)
	named, ok := p.sourceOK("hot set")
	require.True(t, named && !ok)
	w.away.clickhouse.closed.Store(true)
	require.Equal(t, []core.ID{102, 103}, w.get(1, "").posts(), "an old set is better than none")
}

func TestWithNothingButRedisThePublishedListsAreShown(t *testing.T) {
	w := newWorld(t, 20)
	w.publish(nil, hot.Post{ID: 105, Author: 5, Created: w.clock.Now().UnixMicro()},
		hot.Post{ID: 101, Author: 1, Created: w.clock.Now().UnixMicro()})
	w.start()
	w.away.clickhouse.closed.Store(true)
	w.away.postgres.closed.Store(true)
	wait.Until(t, func() bool { return len(w.get(1, "").Items) == 1 })
	p := w.get(1, "")
	require.Equal(t, "trending", p.ServedFrom)
	require.Equal(t, []core.ID{105}, p.posts(), "but never one's own")
	require.True(t, p.Degraded)
}

func TestOneAccountsBurstWinsNeitherTrendingNorTheFeed(t *testing.T) {
	w := newWorld(t, 20, func(c *feed.Config) { c.ListsEvery = 50 * time.Millisecond })
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Hour)
	w.engage(102, 2, 10, 5000) // all by one
	w.engage(103, 3, 100, 10)
	w.load()
	require.Equal(t, core.ID(102), w.get(1, "").Items[0].Post)
	w.publish([]core.ID{102}, hot.Post{ID: 103, Author: 3, Created: w.clock.Now().Add(-time.Hour).UnixMicro()})
	wait.Until(t, func() bool { return w.get(1, "").Items[0].Post == 103 })
	w.load()
	require.Equal(t, []core.ID{103}, w.list(1, "/api/v1/feed/trending?window=1h").posts())
	p := w.get(1, "explain=true")
	require.Zero(t, p.Items[1].Explain.Inputs["likes"])
	require.Contains(t, p.Items[1].Explain.Adjustments, "engagement does not count: it is of one account, or a few")
}
