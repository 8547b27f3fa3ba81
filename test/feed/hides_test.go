package feed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAHideThatWasTakenBackStaysTakenBack(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3, 4)
	for author := 2; author <= 4; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	all, rest := []core.ID{102, 103, 104}, []core.ID{104}
	shows := func(want []core.ID, why string) {
		t.Helper()
		require.ElementsMatch(t, want, w.get(1, "").posts(), why)
		require.ElementsMatch(t, want, w.get(1, "algo=timeline").posts(), why)
	}
	ctx, began := context.Background(), w.clock.Now()
	w.feed.Hide(ctx, 1, hiddenPosts(began, false, 102, 103))
	shows(rest, "the API says so at once")
	w.clock.advance(2 * time.Second)
	w.feed.Hide(ctx, 1, hiddenPosts(w.clock.Now(), true, 102, 103))
	undone := w.clock.Now()
	shows(all, "and that it was taken back")

	// The consumer is late: what it tells is as old as it was when it happened.
	w.apply(1, core.ActionHide, 2, began, 102)
	w.apply(1, core.ActionNotInterested, 3, began, 103)
	shows(all, "though the hide is told again")
	w.apply(1, core.ActionUnhide, 2, undone, 102)
	w.apply(1, core.ActionUnhide, 3, undone, 103)
	shows(all, "and that it was taken back, too")

	w.loseEverything()
	shows(all, "of the raw events")
	w.clock.advance(5 * time.Second)
	w.record(1, core.ActionHide, 2, 102)
	shows([]core.ID{103, 104}, "hidden anew")
	w.loseEverything()
	shows([]core.ID{103, 104}, "hidden anew, of the raw events")
	w.clock.advance(5 * time.Second)
	w.record(1, core.ActionUnhide, 2, 102)
	shows(all, "")
}

func TestAnUndoTakesBackWhatAHideDidToTheAuthor(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Minute)
	w.post(103, 3, 2*time.Minute)
	w.post(112, 2, 3*time.Hour)
	w.load()
	w.cached(1, "")
	w.away.clickhouse.closed.Store(true) // nothing is computed anew: the entry is told
	w.observe(1, core.ActionHide, 2, w.clock.Now(), 112)
	require.Equal(t, []core.ID{103, 102}, w.get(1, "").posts())
	w.clock.advance(2 * time.Second)
	w.observe(1, core.ActionUnhide, 2, w.clock.Now(), 112)
	require.Equal(t, core.ID(102), w.get(1, "").posts()[0])
	require.Contains(t, w.get(1, "").posts(), core.ID(112))
}

// TestAPostThatIsHiddenNoMoreComesBackOnEveryPath takes hides back and looks at everything that is made of posts.
func TestAPostThatIsHiddenNoMoreComesBackOnEveryPath(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3, 4, 5, 6, 7)
	for i := range 40 {
		w.post(1000+i, 2+i%6, time.Duration(i+1)*time.Minute)
		w.engage(1000+i, 2+i%6, 100, 20)
	}
	w.load()
	first := w.get(1, "limit=10")
	second := w.get(1, "limit=10&"+first.next()).posts()
	one, other := first.posts()[3], second[3]
	shown := func(want bool, why string) {
		t.Helper()
		for _, query := range []string{"limit=100", "limit=100&algo=timeline"} {
			require.Equal(t, want, slices.Contains(w.get(1, query).posts(), one), "%s: %s", why, query)
		}
		require.Equal(t, want, slices.Contains(w.list(1, "/api/v1/feed/trending").posts(), one), why)
		require.Equal(t, want, slices.Contains(w.get(1, "limit=10&"+first.next()).posts(), other), "%s: a later page",
			why)
	}
	hide := func(action core.Action) {
		for _, post := range []core.ID{one, other} {
			w.record(1, action, 2+int(post-1000)%6, post)
		}
		w.clock.advance(2 * time.Second)
	}
	hide(core.ActionHide)
	shown(false, "hidden")
	hide(core.ActionUnhide)
	shown(true, "taken back")

	hide(core.ActionNotInterested)
	w.away.clickhouse.closed.Store(true)
	shown(false, "ClickHouse is away")
	w.feed.Hide(t.Context(), 1, hiddenPosts(w.clock.Now(), true, one, other))
	shown(true, "ClickHouse is away, and it was taken back")
	at := w.clock.Now()
	w.away.clickhouse.closed.Store(false)
	w.consume(func() {
		for _, post := range []core.ID{one, other} {
			w.apply(1, core.ActionUnhide, 2+int(post-1000)%6, at, post)
		}
	})
	w.clock.advance(2 * time.Second)
	shown(true, "ClickHouse is back")

	hide(core.ActionHide)
	w.away.redis.closed.Store(true)
	shown(false, "Redis is away")
	w.feed.Hide(t.Context(), 1, hiddenPosts(w.clock.Now(), true, one, other))
	shown(true, "Redis is away, and it was taken back")
	w.away.redis.closed.Store(false)
	shown(true, "Redis is back, and still says that it is hidden")
}

// TestWhatIsHiddenNoMoreStandsForNoMarkThatIsLost hides another post, loses that, and hides and shows one since.
func TestWhatIsHiddenNoMoreStandsForNoMarkThatIsLost(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3, 4)
	for author := 2; author <= 4; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	w.record(1, core.ActionHide, 2, 102)
	w.loseEverything()
	w.clock.advance(2 * time.Second)
	w.record(1, core.ActionHide, 3, 103)
	w.clock.advance(2 * time.Second)
	w.record(1, core.ActionUnhide, 3, 103)
	require.ElementsMatch(t, []core.ID{103, 104}, w.get(1, "").posts())
}

// TestAnUndoOfNothingGivesTheAuthorNothing sends what changes no state: nobody gains by it.
func TestAnUndoOfNothingGivesTheAuthorNothing(t *testing.T) {
	w := newWorld(t, 10)
	w.follow(1, 2, 3)
	w.post(103, 3, time.Minute)
	w.post(102, 2, 20*time.Minute)
	w.load()
	w.cached(1, "")
	w.away.clickhouse.closed.Store(true)
	for range 20 {
		e := core.Event{
			UserID: 1, PostID: 102, AuthorID: 2, Action: core.ActionUnhide, OccurredAt: w.clock.Now(),
			ReceivedAt: w.clock.Now(), Repeated: true,
		}
		require.NoError(t, w.signals.Observe(t.Context(), []core.Event{e}))
	}
	require.Equal(t, []core.ID{103, 102}, w.get(1, "").posts())
}

func TestWhatWasHiddenHereIsNotShownHereThoughRedisTookNothing(t *testing.T) {
	w := newWorld(t, 20)
	w.follow(1, 2, 3)
	w.post(102, 2, time.Hour)
	w.post(103, 3, 2*time.Hour)
	w.load()
	w.cached(1, "")
	w.away.redis.closed.Store(true)
	w.feed.Hide(context.Background(), 1, []core.HiddenPost{{Post: 102, At: w.clock.Now()}})
	w.feed.HideHere(1, []core.HiddenPost{{Post: 102, At: w.clock.Now()}}) // told again by the log
	w.away.redis.closed.Store(false)
	for _, query := range []string{"", "algo=timeline"} {
		require.Equal(t, []core.ID{103}, w.get(1, query).posts(), "from the entry that Redis still has")
	}
	require.ElementsMatch(t, []core.ID{102, 103}, w.get(4, "").posts(), "it was hidden by one viewer alone")
}
