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

func TestTheScoreIsTheDocumentedFormula(t *testing.T) {
	c := rank.DefaultConfig()
	engagement := core.Engagement{Exposures: 180, Likes: 10, Comments: 4, Shares: 2}
	terms := rank.Terms{
		Freshness:  c.Freshness(5 * time.Hour),
		Engagement: c.EngagementTerm(engagement),
		Affinity:   c.AffinityTerm(12),
	}
	require.InDelta(t, math.Exp(-0.5), terms.Freshness, 1e-12)
	require.InDelta(t, math.Log1p((10+2*4+3*2+1)/200.0), terms.Engagement, 1e-12)
	require.InDelta(t, math.Log(13), terms.Affinity, 1e-12)
	require.InDelta(t, 0.3*math.Exp(-0.5)+0.4*math.Log1p(25/200.0)+0.3*math.Log(13), c.Score(terms), 1e-12)
}

// Each weight belongs to its term, and each constant to its count: literal numbers, of constants that all differ.
func TestAScoreUnderOtherConstantsIsTheseNumbers(t *testing.T) {
	terms := rank.Terms{Freshness: 0.5, Engagement: 0.25, Affinity: 2}
	for want, weights := range map[float64]rank.Weights{
		0.7: {Freshness: 1, Engagement: 0.4, Affinity: 0.05},
		2.6: {Freshness: 0.2, Engagement: 2, Affinity: 1},
		1.9: {Freshness: 0.6, Engagement: 4, Affinity: 0.3},
	} {
		c := rank.DefaultConfig()
		c.Weights = weights
		require.InDelta(t, want, c.Score(terms), 1e-9, "%+v", weights)
	}

	c := rank.Config{
		FreshnessDecay: 0.2, TrendingDecay: 0.5,
		Engagement: rank.Engagement{Like: 1, Comment: 10, Share: 100, PriorInteractions: 5, PriorExposures: 7},
		Affinity:   rank.Affinity{View: 1, Click: 10, Like: 100, Comment: 1000, Share: 10000, Hide: -100000},
	}
	counts := core.Engagement{Exposures: 13, Likes: 2, Comments: 3, Shares: 4}
	require.InDelta(t, 432, c.Interactions(counts), 1e-9)
	require.InDelta(t, 3.128951, c.EngagementTerm(counts), 1e-6) // ln(1 + 437/20)
	require.InDelta(t, 0.449329, c.Freshness(4*time.Hour), 1e-6) // e^-0.8
	require.InDelta(t, -345679, c.Affinity.Weighted(rank.AuthorCounts{Views: 1, Clicks: 2, Likes: 3, Comments: 4, Shares: 5, Hides: 4}), 1e-9)
	require.InDelta(t, 654321, c.Affinity.Weighted(rank.AuthorCounts{Views: 1, Clicks: 2, Likes: 3, Comments: 4, Shares: 65}), 1e-9)
	require.InDelta(t, 4.615121, c.AffinityTerm(100), 1e-6)
	require.InDelta(t, -4.615121, c.AffinityTerm(-100), 1e-6)
}

func TestOneLikeOnTwoExposuresDoesNotBeatAPostThatManyLiked(t *testing.T) {
	c := rank.DefaultConfig()
	lucky := c.EngagementTerm(core.Engagement{Exposures: 2, Likes: 1})
	liked := c.EngagementTerm(core.Engagement{Exposures: 500, Likes: 60})
	require.Less(t, lucky, liked)
}

func TestHidesPushAnAuthorBelowAStranger(t *testing.T) {
	c := rank.DefaultConfig()
	weighted := c.Affinity.Weighted(rank.AuthorCounts{Views: 5, Hides: 1})
	require.Less(t, c.AffinityTerm(weighted), c.AffinityTerm(0))
}

func TestAPostOfTheFutureIsAsFreshAsOneOfNow(t *testing.T) {
	c := rank.DefaultConfig()
	require.InDelta(t, 1, c.Freshness(-time.Hour), 0)
}

func TestTheScoreIsMonotoneInEachTermAndFinite(t *testing.T) {
	c := rank.DefaultConfig()
	count := rapid.Int64Range(-10, 1<<40)
	rapid.Check(t, func(t *rapid.T) {
		age := time.Duration(rapid.Int64Range(-1e15, 1e18).Draw(t, "age"))
		e := core.Engagement{
			Exposures: count.Draw(t, "exposures"), Likes: count.Draw(t, "likes"),
			Comments: count.Draw(t, "comments"), Shares: count.Draw(t, "shares"),
		}
		affinity := rapid.Float64Range(-1e9, 1e9).Draw(t, "affinity")
		score := func(age time.Duration, e core.Engagement, affinity float64) float64 {
			return c.Score(rank.Terms{Freshness: c.Freshness(age), Engagement: c.EngagementTerm(e), Affinity: c.AffinityTerm(affinity)})
		}
		at := score(age, e, affinity)
		require.False(t, math.IsNaN(at) || math.IsInf(at, 0))
		require.GreaterOrEqual(t, at, score(age+time.Hour, e, affinity), "older")
		more := e
		more.Likes++
		require.LessOrEqual(t, at, score(age, more, affinity), "one more like")
		seen := e
		seen.Exposures++
		require.GreaterOrEqual(t, at, score(age, seen, affinity), "one more exposure without a like")
		require.LessOrEqual(t, at, score(age, e, affinity+1), "more affinity")
	})
}

func TestWhatNobodyTouchedDoesNotTrend(t *testing.T) {
	c := rank.DefaultConfig()
	require.Zero(t, c.Trend(core.Engagement{Exposures: 1000}, time.Hour))
	require.Positive(t, c.Trend(core.Engagement{Exposures: 1000, Likes: 1}, time.Hour))
}
