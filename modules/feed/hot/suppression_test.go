package hot_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

func trendingIDs(list []hot.Ranked) []core.ID {
	var ids []core.ID
	for _, r := range list {
		ids = append(ids, r.Post.ID)
	}
	return ids
}

func TestOneAccountsBurstDoesNotWinTrending(t *testing.T) {
	clock := &manualClock{noon}
	source := &table{counts: map[core.ID]core.Engagement{
		1: {Exposures: 5, Likes: 5000}, 2: {Exposures: 50, Likes: 20},
		3: {Exposures: 50, Likes: 10}, 4: {Exposures: 5, Likes: 4000},
	}}
	for id := range core.ID(4) {
		source.posts = append(source.posts, post(id+1, 10+id, noon.Add(-time.Hour)))
	}
	set := newSet(hot.DefaultConfig(), source, clock)
	load := func() *hot.Lists {
		t.Helper()
		require.NoError(t, set.Load(context.Background()))
		return set.Lists()
	}
	require.Equal(t, []core.ID{1, 4, 2, 3}, trendingIDs(load().Day), "the numbers alone")

	set.Suppress([]core.ID{1})
	lists := load()
	require.Equal(t, []core.ID{4, 2, 3}, trendingIDs(lists.Day), "suppressed is out")
	require.Equal(t, []core.ID{4, 2, 3}, trendingIDs(lists.Hour))
	v := set.View()
	p, there := v.Post(1)
	require.True(t, there, "it may be shown, but nothing that was done with it counts")
	require.Zero(t, p.Day())
	v.Close()

	hidden := core.Post{ID: 1, AuthorID: 10, CreatedAt: noon.Add(-time.Hour), Visibility: core.Hidden}
	set.Apply([]core.Change{put(hidden), put(post(1, 10, hidden.CreatedAt))})
	require.NoError(t, set.Refresh(context.Background(), true))
	v = set.View()
	p, _ = v.Post(1)
	require.Zero(t, p.Day(), "also when it comes back")
	v.Close()

	set.Suppress(nil)
	require.Equal(t, []core.ID{1, 4, 2, 3}, trendingIDs(load().Day))
}

func TestWhatTooFewDidIsInNoList(t *testing.T) {
	source := &table{counts: map[core.ID]core.Engagement{
		1: {Likes: 2},                                   // unseen: it counts nowhere
		2: {Likes: 2, Exposures: 8},                     // at a rate that is believed: in scores, in no list
		3: {Likes: 1, Comments: 1, Shares: 1},           // perhaps one and the same person
		4: {Likes: 3},                                   // enough
		5: {Comments: 3, Exposures: 30},                 // enough
		6: {Exposures: 100}, 7: {Likes: -3, Shares: -1}, // nobody
	}}
	for id := range core.ID(7) {
		source.posts = append(source.posts, post(id+1, 10+id, noon.Add(-time.Hour)))
	}
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	require.NoError(t, set.Load(context.Background()))
	counts := func(id core.ID) core.Engagement {
		v := set.View()
		defer v.Close()
		p, there := v.Post(id)
		require.True(t, there)
		return p.Day()
	}
	lists := set.Lists()
	require.ElementsMatch(t, []core.ID{4, 5}, trendingIDs(lists.Day))
	require.ElementsMatch(t, []core.ID{4, 5}, trendingIDs(lists.Hour))
	popular := trendingIDs(lists.Popular)
	require.Len(t, popular, 7)
	require.ElementsMatch(t, []core.ID{4, 5}, popular[:2], "who passes the floor")
	require.Equal(t, core.ID(6), popular[6], "exposures count")
	require.Zero(t, counts(1))
	require.Zero(t, counts(3))
	require.Equal(t, source.counts[2], counts(2))

	source.counts[1] = core.Engagement{Likes: 3} // one more
	require.NoError(t, set.Load(context.Background()))
	require.Contains(t, trendingIDs(set.Lists().Day), core.ID(1))
	require.Equal(t, source.counts[1], counts(1))
}

// The lists are ranked every two seconds; what a refresh brings counts at once.
func TestDoubtEndsWithTheCountsThatEndIt(t *testing.T) {
	source := &table{
		posts:  []core.Post{post(1, 10, noon.Add(-time.Hour)), post(2, 11, noon.Add(-time.Hour))},
		counts: map[core.ID]core.Engagement{1: {Likes: 2}, 2: {Likes: 2, Exposures: 8}},
	}
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	require.NoError(t, set.Load(context.Background()))
	likes := func() (all [2]int64) {
		v := set.View()
		defer v.Close()
		for i := range all {
			p, there := v.Post(core.ID(i + 1))
			require.True(t, there)
			all[i] = p.Day().Likes
		}
		return all
	}
	require.Equal(t, [2]int64{0, 2}, likes())
	source.counts[1], source.counts[2] = core.Engagement{Likes: 3}, core.Engagement{Likes: 2, Exposures: 7}
	require.NoError(t, set.Refresh(context.Background(), true))
	require.Equal(t, [2]int64{3, 0}, likes())
}
