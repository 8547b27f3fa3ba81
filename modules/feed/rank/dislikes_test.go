package rank_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
)

func TestDislikesTakeWhatLikesOfTheSameNumberGive(t *testing.T) {
	c := rank.DefaultConfig()
	e := core.Engagement{Exposures: 180, Likes: 10, Dislikes: 6}
	require.InDelta(t, math.Log1p(6./200), c.Disliked(e), 1e-12)
	require.InDelta(t, math.Log1p(11./200)-math.Log1p(6./200), c.EngagementTerm(e), 1e-12)
	unseen := core.Engagement{Dislikes: 10}
	require.InDelta(t, math.Log1p(10./(40+20)), c.Disliked(unseen), 1e-12, "at the highest rate that is believed")
	c.Engagement.Dislike = 3
	require.InDelta(t, math.Log1p(18./200), c.Disliked(e), 1e-12)
	require.Zero(t, c.Disliked(core.Engagement{Exposures: 9, Likes: 3, Dislikes: -2}), "a repair under way")
	require.InDelta(t, -2, c.Affinity.Weighted(rank.AuthorCounts{Dislikes: 2}), 1e-12)
}

func TestMoreDislikesAreNeverBetter(t *testing.T) {
	count := rapid.Int64Range(-10, 1<<40)
	rapid.Check(t, func(t *rapid.T) {
		c := rank.Versioned{Config: rank.DefaultConfig(), Heaviest: rapid.Int64Range(0, 10).Draw(t, "heaviest")}
		c.Engagement.Dislike = rapid.Float64Range(0, 100).Draw(t, "dislike")
		c.Engagement.MaxRate = rapid.Float64Range(0, 100).Draw(t, "rate")
		c.Engagement.PriorInteractions = rapid.Float64Range(0, 1e6).Draw(t, "a")
		e := core.Engagement{
			Exposures: count.Draw(t, "exposures"), Likes: count.Draw(t, "likes"), Comments: count.Draw(t, "comments"),
			Dislikes: count.Draw(t, "dislikes"),
		}
		more := e
		more.Dislikes += rapid.Int64Range(1, 1<<20).Draw(t, "more")
		const rounding = 1e-9
		require.LessOrEqual(t, c.EngagementTerm(more), c.EngagementTerm(e)+rounding)
		require.LessOrEqual(t, c.Trend(more, time.Hour), c.Trend(e, time.Hour)+rounding)
		require.LessOrEqual(t, c.WeeklyTrend(more, time.Hour), c.WeeklyTrend(e, time.Hour)+rounding)
		require.Equal(t, c.Doubtful(e, 9), c.Doubtful(more, 9), "they make nothing doubtful that counts, nor the other way")
		e.Likes++
		more.Likes++
		require.LessOrEqual(t, c.EngagementTerm(more), c.EngagementTerm(e)+rounding)
	})
}

func TestAPostThatMoreDislikeThanLikeDoesNotTrend(t *testing.T) {
	c := rank.DefaultConfig()
	require.Zero(t, c.Trend(core.Engagement{Exposures: 100, Likes: 5, Dislikes: 5}, time.Hour))
	require.Positive(t, c.Trend(core.Engagement{Exposures: 100, Likes: 5, Dislikes: 4}, time.Hour))
}

// A reaction that counts as five likes is one person's all the same.
func TestAHeavyReactionIsOnePerson(t *testing.T) {
	v := rank.Versioned{Config: rank.DefaultConfig(), Heaviest: 5}
	require.EqualValues(t, 1, v.People(core.Engagement{Likes: 5}))
	require.EqualValues(t, 2, v.People(core.Engagement{Likes: 6}))
	require.EqualValues(t, 5, v.Reactions(core.Engagement{Likes: 6, Comments: 3}))
	require.True(t, v.Doubtful(core.Engagement{Likes: 10}, 3), "two people can have done that")
	live := rank.NewLiveOf(rank.DefaultConfig(), core.CountedFrom{Heaviest: 5})
	require.EqualValues(t, 1, live.Get().People(core.Engagement{Likes: 5}))
	live.Set(rank.Versioned{Version: 7, Config: rank.DefaultConfig()})
	require.EqualValues(t, 1, live.At(7).People(core.Engagement{Likes: 5}), "and under another ranking")
}
