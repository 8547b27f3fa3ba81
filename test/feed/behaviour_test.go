package feed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed"
)

// How the feed of a person changes with what they do, from the first day on.

// bySource counts a page's posts by the source that is named for them.
func (p page) bySource() map[string]int {
	n := map[string]int{}
	for _, item := range p.Items {
		n[item.Source]++
	}
	return n
}

func TestTheMoreAUserDoesTheMoreTheColdStartGivesWay(t *testing.T) {
	w := newWorld(t, 60, func(c *feed.Config) { c.Sources.Popular.Limit = 20 })
	for author := 2; author <= 50; author++ {
		w.post(100+author, author, time.Duration(author)*time.Minute)
	}
	w.load()
	require.Equal(t, map[string]int{"popular": 20}, w.get(1, "limit=20").bySource())
	w.follow(1, 30, 31, 32, 33, 34, 35, 36)
	require.Equal(t, map[string]int{"followees": 7, "popular": 13}, w.get(1, "limit=20").bySource())
	w.interact(1, 40, 5)
	w.interact(1, 41, 5)
	w.do("DELETE", 1, "/admin/v1/cache/1", "")
	require.Equal(t, map[string]int{"followees": 7, "affinity": 2, "popular": 11}, w.get(1, "limit=20").bySource())
	w.follow(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	require.Equal(t, map[string]int{"followees": 18, "affinity": 2}, w.get(1, "limit=20").bySource())
}

func TestAReturningUserGetsAGoodPageAtOnce(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3, 4)
	w.post(102, 2, 100*24*time.Hour) // what they saw last
	w.load()
	w.record(1, core.ActionView, 2, 102)
	w.get(1, "")
	w.clock.advance(90 * 24 * time.Hour)
	w.post(203, 3, time.Hour)
	w.post(204, 4, 2*time.Hour)
	for author := 10; author < 15; author++ {
		w.post(200+author, author, time.Hour)
	}
	w.load()
	p := w.get(1, "")
	require.Equal(t, "clickhouse", p.ServedFrom)
	require.False(t, p.Degraded)
	require.Equal(t, map[string]int{"followees": 2, "popular": 6}, p.bySource(),
		"the followees' new posts, and what is popular")
	require.Equal(t, core.ID(102), p.Items[7].Post, "the old one fills up")
}

func TestHidingPushesAnAuthorDown(t *testing.T) {
	for _, action := range []core.Action{core.ActionHide, core.ActionNotInterested} {
		t.Run(action.String(), func(t *testing.T) {
			w := newWorld(t, 30)
			w.follow(1, 2, 3)
			w.post(102, 2, time.Minute)
			w.post(103, 3, 2*time.Minute)
			w.post(112, 2, 3*time.Minute)
			w.load()
			require.Equal(t, []core.ID{102, 103, 112}, w.cached(1, "").posts())
			require.NoError(t, w.signals.Observe(t.Context(), []core.Event{{
				UserID: 1, PostID: 102, AuthorID: 2, Action: action, OccurredAt: w.clock.Now(),
				ReceivedAt: w.clock.Now(),
			}}))
			w.record(1, action, 2, 102)
			p := w.get(1, "explain=true")
			require.Equal(t, []core.ID{103, 112}, p.posts(),
				"at once: the post is gone, and the author's other one stands last")
			require.Negative(t, p.Items[1].Explain.Affinity)
			w.away.clickhouse.closed.Store(true)
			w.clock.advance(time.Minute)
			require.Equal(t, []core.ID{103, 112}, w.get(1, "").posts())
		})
	}
}

func TestBlockingCutsTheAffinityAtOnce(t *testing.T) {
	w := newWorld(t, 30)
	w.follow(1, 2, 3)
	w.interact(1, 2, 50)
	w.post(102, 2, time.Hour)
	w.post(103, 3, time.Minute)
	w.load()
	require.Equal(t, []core.ID{102, 103}, w.cached(1, "").posts())
	w.block(1, 2)
	require.Equal(t, []core.ID{103}, w.get(1, "").posts())
	w.unfollow(1, 2) // as apps do with a block
	w.unblock(1, 2)
	p := w.get(1, "explain=true")
	require.Equal(t, []core.ID{103, 102}, p.posts())
	require.Zero(t, p.Items[1].Explain.Affinity, "the affinity does not come back with the end of the block")
}

func TestAFeedIsNeverEmptyThoughEverythingWasHiddenButOne(t *testing.T) {
	w := newWorld(t, 30)
	for i := range 30 {
		w.post(100+i, 2+i%20, time.Duration(i)*time.Hour*24) // most are older than the window
	}
	w.load()
	for i := range 29 {
		w.event(1, core.ActionHide, core.ID(100+i))
	}
	p := w.get(1, "explain=true")
	require.Equal(t, []core.ID{129}, p.posts(), "the newest beyond the window are kept for this")
	require.Equal(t, "shown", w.whyNot(1, 129).Rule, "why-not knows what fills a page up")
	w.event(1, core.ActionView, 129)
	p = w.get(1, "explain=true")
	require.Equal(t, []core.ID{129}, p.posts())
	require.Contains(t, strings.Join(p.Items[0].Explain.Adjustments, ";"), "seen before")
	require.Equal(t, "shown", w.whyNot(1, 129).Rule)
}
