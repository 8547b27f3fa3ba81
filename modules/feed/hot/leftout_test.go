package hot_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
)

func TestWhatIsLeftOutOfTrendingSaysWhy(t *testing.T) {
	source := &table{counts: map[core.ID]core.Engagement{
		1: {Likes: 9, Exposures: 40}, 2: {Likes: 5000, Exposures: 9}, 3: {Likes: 2, Exposures: 30},
		4: {Likes: 8, Exposures: 40}, 5: {Exposures: 40}, 6: {Likes: 2},
	}}
	for id := range core.ID(6) {
		source.posts = append(source.posts, post(id+1, 10+id, noon.Add(-time.Hour)))
	}
	source.posts[3].Audience = core.Followers
	set := newSet(hot.DefaultConfig(), source, &manualClock{noon})
	require.NoError(t, set.Load(context.Background()))
	set.Suppress([]core.ID{2})
	require.NoError(t, set.Load(context.Background()))
	require.Equal(t, []core.ID{1}, trendingIDs(set.Lists().Day))
	for _, hour := range []bool{false, true} {
		left, people := set.LeftOut(hour, 10)
		require.EqualValues(t, 3, people)
		why := map[core.ID]hot.Doubt{}
		for i, one := range left {
			why[one.Post.ID] = one.Why
			require.Positive(t, one.Value)
			require.Equal(t, source.counts[one.Post.ID], one.Did, "whether it counts or not")
			if i > 0 {
				require.LessOrEqual(t, one.Value, left[i-1].Value, "the highest first")
			}
		}
		require.Equal(t, map[core.ID]hot.Doubt{
			2: hot.FewAccounts, 3: hot.TooFewPeople, 4: hot.NotPublic, 6: hot.TooFewPeople,
		}, why, "5 got no reaction")
		require.Equal(t, core.ID(2), left[0].Post.ID)
	}
	left, _ := set.LeftOut(false, 2)
	require.Len(t, left, 2)
}
