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
	source := &table{counts: map[core.ID]core.Engagement{1: {Exposures: 5, Likes: 5000}, 2: {Exposures: 50, Likes: 20}, 3: {Exposures: 50, Likes: 10}, 4: {Exposures: 5, Likes: 4000}}}
	for id := range core.ID(4) {
		source.posts = append(source.posts, post(id+1, 10+id, noon.Add(-time.Hour)))
	}
	set := newSet(hot.DefaultConfig(), source, clock)
	load := func() *hot.Lists {
		t.Helper()
		require.NoError(t, set.Load(context.Background()))
		return set.Lists()
	}
	require.Equal(t, []core.ID{1, 4, 2, 3}, trendingIDs(load().Day), "nobody has looked yet: the numbers alone")

	set.Judge([]core.ID{2, 3}, []core.ID{1})
	lists := load()
	require.Equal(t, []core.ID{2, 3, 4}, trendingIDs(lists.Day), "refused is out, what was checked stands first")
	require.Equal(t, []core.ID{2, 3, 4}, trendingIDs(lists.Hour))
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

	set.Judge([]core.ID{2, 3}, nil)
	require.Equal(t, []core.ID{2, 3, 1, 4}, trendingIDs(load().Day))
}
