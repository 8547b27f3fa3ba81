package feed_test

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

func TestAFeedRanksByFreshnessEngagementAndAffinity(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	w.post(101, 2, time.Hour)
	w.post(102, 3, time.Hour)
	w.post(103, 4, time.Hour)
	w.post(104, 5, time.Minute) // of a stranger
	w.engage(102, 3, 100, 50)
	w.interact(1, 4, 20)
	w.load()

	p := w.get(1, "explain=true")
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.False(t, p.Degraded)
	require.Equal(t, []core.ID{103, 102, 104, 101}, p.posts(), "affinity, engagement, freshness, nothing")
	require.Equal(t, []string{"followees", "followees", "popular", "followees"},
		[]string{p.Items[0].Source, p.Items[1].Source, p.Items[2].Source, p.Items[3].Source})
	c := rank.DefaultConfig()
	for _, item := range p.Items {
		x := item.Explain
		score := c.Weights.Freshness*x.Freshness + c.Weights.Engagement*x.Engagement + c.Weights.Affinity*x.Affinity
		require.InDelta(t, score, item.Score, 1e-6)
		require.InDelta(t, math.Exp(-0.1*x.Inputs["age_hours"]), x.Freshness, 1e-6)
		likes := x.Inputs["likes"] // at most one for four exposures is believed
		require.InDelta(t, math.Log1p((likes+1)/(max(x.Inputs["exposures"], likes/0.25)+20)), x.Engagement, 1e-6)
		require.InDelta(t, math.Log1p(x.Inputs["author_interactions"]), x.Affinity, 1e-6)
	}
	require.InDelta(t, math.Log1p(20), p.Items[0].Explain.Affinity, 1e-6)
	require.Equal(t, p.posts(), w.cached(1, "").posts())
}

func TestNoPageShowsWhatTheViewerMayNotSee(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4, 5, 6, 7)
	for author := 1; author <= 8; author++ {
		w.post(100+author, author, time.Duration(author)*time.Hour)
	}
	w.block(1, 2)
	w.block(3, 1)
	w.mute(1, 4)
	w.load()
	w.deletePost(105)
	w.event(1, core.ActionHide, 106)
	want := []core.ID{107, 108}
	check := func(p page, from string) {
		t.Helper()
		require.Equal(t, from, p.ServedFrom)
		require.ElementsMatch(t, want, p.posts())
	}
	check(w.get(1, ""), "clickhouse")
	check(w.cached(1, ""), "cache")
	require.Equal(t, []core.ID{107}, w.get(1, "algo=timeline").posts())
	trending := w.list(1, "/api/v1/feed/trending?window=24h")
	require.Empty(t, trending.Items, "nobody interacted")

	w.away.clickhouse.closed.Store(true)
	check(w.get(1, ""), "cache")
	w.clock.advance(35 * time.Minute)
	check(w.get(1, ""), "stale")
	w.clock.advance(20 * time.Minute)
	p := w.get(1, "")
	require.True(t, p.Degraded)
	check(p, "stale")
	w.away.redis.closed.Store(true)
	check(w.get(1, ""), "stale") // the replica remembers the last entry
	w.clock.advance(20 * time.Minute)
	check(w.get(1, ""), "postgres") // and what was hidden
	require.Equal(t, []core.ID{107}, w.get(1, "algo=timeline&limit=100").posts())
	w.away.postgres.closed.Store(true)
	p = w.get(1, "")
	require.Equal(t, "trending", p.ServedFrom, "for a while")
	require.NotEmpty(t, p.Items)
	require.NotContains(t, p.posts(), core.ID(101), "not even then one's own")
	require.NotContains(t, p.posts(), core.ID(105), "nor what is deleted")
	require.NotContains(t, p.posts(), core.ID(106), "nor hidden")
}

func TestSeenPostsAreNotShownAgainForADay(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	for i := range 3 {
		w.post(101+i, 2+i, time.Minute)
	}
	w.load()
	require.Len(t, w.get(1, "").Items, 3)
	w.cached(1, "")
	w.event(1, core.ActionImpression, 101)
	w.event(1, core.ActionView, 102)
	w.event(1, core.ActionLike, 103)
	require.Equal(t, []core.ID{103}, w.get(1, "").posts())
	w.clock.advance(25 * time.Hour)
	w.load()
	require.Len(t, w.get(1, "").Items, 3)
}

func TestAViewerWhoHasSeenEverythingGetsPostsAgainRatherThanAnEmptyPage(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2)
	w.post(101, 2, time.Minute)
	w.post(102, 3, time.Minute)
	w.load()
	w.event(1, core.ActionView, 101, 102)
	w.event(1, core.ActionNotInterested, 102)
	p := w.get(1, "explain=true")
	require.Equal(t, []core.ID{101}, p.posts(), "but what was hidden stays hidden")
	require.Contains(t, strings.Join(p.Items[0].Explain.Adjustments, ";"), "seen before")
}

func TestAViewersOwnChangesShowAtOnceThoughTheFeedIsCached(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	for author := 2; author <= 6; author++ {
		w.post(100+author, author, time.Hour)
	}
	w.load()
	w.cached(1, "")
	w.block(1, 2)
	require.NotContains(t, w.get(1, "").posts(), core.ID(102))
	w.cached(1, "")
	w.block(3, 1)
	require.NotContains(t, w.get(1, "").posts(), core.ID(103))
	w.cached(1, "")
	w.mute(1, 4)
	require.NotContains(t, w.get(1, "").posts(), core.ID(104))
	w.unblock(1, 2)
	require.Contains(t, w.cached(1, "").posts(), core.ID(102))

	source := func(author core.ID) string {
		for _, item := range w.get(1, "").Items {
			if item.Author == author {
				return item.Source
			}
		}
		return ""
	}
	require.Equal(t, "popular", source(5))
	w.follow(1, 5)
	require.Equal(t, "followees", source(5))
	w.unfollow(1, 5)
	require.Equal(t, "popular", source(5))
}

func TestAChangeHoldsForAnEntryThatCannotBeComputedAnew(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Hour)
	w.load()
	w.cached(1, "")
	w.block(1, 2)
	w.away.clickhouse.closed.Store(true)
	w.away.postgres.closed.Store(true)
	p := w.get(1, "")
	require.Equal(t, "stale", p.ServedFrom)
	require.True(t, p.Degraded)
	require.Equal(t, []core.ID{103}, p.posts())
}

func TestUnfollowingCutsTheAffinityAtOnce(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Minute)
	w.interact(1, 2, 50)
	w.load()
	require.Equal(t, []core.ID{102, 103}, w.cached(1, "").posts())
	w.unfollow(1, 2)
	p := w.get(1, "explain=true")
	require.Equal(t, []core.ID{103, 102}, p.posts())
	require.Zero(t, p.Items[1].Explain.Affinity)
}

func TestNewAndDeletedPostsReachCachedFeedsWithoutAComputation(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.load()
	w.cached(1, "")
	calls := w.away.clickhouse.calls.Load()
	w.post(104, 2, 0)
	w.deletePost(103)
	p := w.get(1, "explain=1")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{104, 102}, p.posts())
	require.Contains(t, p.Items[0].Explain.Adjustments, "arrived after the reserve was made")
	require.Equal(t, calls, w.away.clickhouse.calls.Load())
}

func TestEngagementOfTheMomentReordersACachedFeed(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.load()
	require.Equal(t, []core.ID{102, 103}, w.cached(1, "").posts())
	w.engage(103, 3, 50, 40)
	require.NoError(t, w.hot.Refresh(t.Context(), false))
	p := w.get(1, "")
	require.Equal(t, "cache", p.ServedFrom)
	require.Equal(t, []core.ID{103, 102}, p.posts())
}

func TestAnExpiredEntryIsServedWhileItIsRefreshed(t *testing.T) {
	w := newWorld(t, 20)
	w.expired()
	p := w.get(1, "")
	require.Equal(t, "stale", p.ServedFrom)
	require.False(t, p.Degraded)
	w.cached(1, "")
}

func TestANewUserGetsTrendingThenPopularPosts(t *testing.T) {
	w := newWorld(t, 20)
	for author := 2; author <= 9; author++ {
		w.post(100+author, author, time.Hour)
	}
	w.engage(105, 5, 100, 30)
	w.load()
	p := w.get(1, "")
	require.Len(t, p.Items, 8)
	require.Equal(t, core.ID(105), p.Items[0].Post)
	require.Equal(t, "trending", p.Items[0].Source)
	require.Equal(t, "popular", p.Items[1].Source)
}

func TestAFeedIsNotEmptyWhileAnOldPostIsVisible(t *testing.T) {
	w := newWorld(t, 20)
	w.post(102, 2, 400*24*time.Hour)
	w.load()
	require.Equal(t, []core.ID{102}, w.get(1, "").posts())
	w.deletePost(102)
	p := w.get(1, "")
	require.Empty(t, p.Items)
	require.Nil(t, p.NextCursor)
}

func TestOneProlificAuthorDoesNotTakeTheTop(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4, 5, 6, 7)
	id := 100
	for i := range 20 {
		w.post(id, 2, time.Duration(i)*time.Minute)
		id++
	}
	for author := 3; author <= 7; author++ {
		w.post(id, author, 30*time.Hour)
		id++
	}
	w.load()
	p := w.get(1, "limit=5")
	authors := map[core.ID]int{}
	for _, item := range p.Items {
		authors[item.Author]++
	}
	require.Len(t, authors, 5)
}

func TestASourceThatFailsIsLeftOutAndReported(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	w.ch("RENAME TABLE user_author_90d TO elsewhere")
	p := w.get(1, "")
	require.True(t, p.Degraded)
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.Equal(t, []core.ID{102}, p.posts())
	i := slices.IndexFunc(p.Sources, func(s struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
	},
	) bool {
		return !s.OK
	})
	require.Equal(t, "affinity_read", p.Sources[i].Name)
}

func TestTrendingIsByWindow(t *testing.T) {
	w := newWorld(t, 20)
	for author := 2; author <= 6; author++ {
		w.post(100+author, author, 3*time.Hour)
	}
	old := w.post(107, 7, 100*time.Hour)
	hour := w.clock.Now().Truncate(time.Hour)
	metric := func(post int, at time.Time, likes int) {
		w.ch("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes) VALUES (%d, %d, 0, 2, 100, %d)", at.Unix(), post, likes)
	}
	metric(102, hour, 5)
	metric(103, hour.Add(-5*time.Hour), 50)
	metric(107, hour.Add(-90*time.Hour), 500)
	metric(106, hour, 40)
	w.load()
	w.deletePost(106)
	require.Equal(t, []core.ID{102}, w.list(1, "/api/v1/feed/trending?window=1h").posts())
	require.Equal(t, []core.ID{103, 102}, w.list(1, "/api/v1/feed/trending?window=24h").posts())
	require.Equal(t, []core.ID{103, 102}, w.list(1, "/api/v1/feed/trending").posts())
	require.ElementsMatch(t, []core.ID{103, 102, old}, w.list(1, "/api/v1/feed/trending?window=7d&limit=200").posts())
	require.Len(t, w.list(1, "/api/v1/feed/trending?window=7d&limit=1").Items, 1)
}

func TestUntilTheFirstPostsArriveTheAppsDatabaseAnswers(t *testing.T) {
	w := newWorld(t, 3)
	w.load() // a new installation: ClickHouse has nothing yet
	w.sql("INSERT INTO posts (id, author_id, created_at) VALUES (100, 2, $1)", w.clock.Now().Add(-time.Hour))
	page := w.get(1, "")
	require.Equal(t, []core.ID{100}, page.posts())
	require.Equal(t, "postgres", page.ServedFrom)
}

func TestWrongParametersAreRefusedByName(t *testing.T) {
	w := newWorld(t, 2)
	w.post(100, 1, time.Hour) // the viewer's own: the page stays empty
	w.load()
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=-1": "limit", "limit=x": "limit", "limit=": "limit",
		"limit=1e2":                  "limit",
		"limit=99999999999999999999": "limit", "algo=best": "algo", "explain=maybe": "explain", "page=2": "page",
		"limit=1&limit=2": "limit",
		"cursor=abc":      "cursor", "cursor=" + strings.Repeat("A", 5000): "cursor", "cursor=%00": "cursor",
	} {
		status, p := w.refused(1, "/api/v1/feed?"+query)
		require.Equal(t, http.StatusBadRequest, status, query)
		require.Equal(t, field, p.Field, query)
	}
	for _, query := range []string{"window=2h", "limit=201", "cursor=x"} {
		status, _ := w.refused(1, "/api/v1/feed/trending?"+query)
		require.Equal(t, http.StatusBadRequest, status, query)
	}
	require.Equal(t, "ranked", w.get(1, "algo=ch").Algo)
	require.Empty(t, w.get(1, "limit=100").Items)
}

func TestWithoutAHotSetTheTimelineComesFromPostgres(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.block(4, 1)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.post(104, 4, time.Hour)
	w.post(105, 5, time.Hour)
	w.start() // a replica that was started while ClickHouse is away
	w.away.clickhouse.closed.Store(true)
	p := w.get(1, "limit=1")
	require.Equal(t, "postgres", p.ServedFrom)
	require.Equal(t, "timeline", p.Algo)
	require.True(t, p.Degraded)
	require.Equal(t, []core.ID{102}, p.posts())
	p = w.get(1, "limit=1&"+p.next())
	require.Equal(t, []core.ID{103}, p.posts())
	require.Equal(t, []core.ID{105, 104, 103, 102}, w.get(9, "").posts(), "who follows nobody gets recent posts")
}

func TestWithoutAHotSetAnEntryWithoutPostsIsNoAnswer(t *testing.T) {
	w := newWorld(t, 20)
	w.block(9, 4)
	w.post(104, 4, time.Hour)
	w.load()
	require.Empty(t, w.cached(9, "").Items, "there is nothing for them yet")
	w.post(105, 5, time.Hour)
	w.start() // a replica that was started while ClickHouse is away
	w.away.clickhouse.closed.Store(true)
	p := w.get(9, "")
	require.Equal(t, []core.ID{105}, p.posts())
	require.Equal(t, "postgres", p.ServedFrom)
	require.True(t, p.Degraded)
}

func TestWithoutAHotSetACachedFeedKeepsItsOrderAndLosesWhatIsDeleted(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3, 4)
	for i := range 3 {
		w.post(102+i, 2+i, time.Duration(i)*time.Hour)
	}
	w.load()
	before := w.cached(1, "").posts()
	w.start()
	w.away.clickhouse.closed.Store(true)
	w.sql("UPDATE posts SET deleted_at = now() WHERE id = 103")
	p := w.get(1, "")
	require.True(t, p.Degraded)
	require.Equal(t, slices.DeleteFunc(before, func(id core.ID) bool { return id == 103 }), p.posts())
}
