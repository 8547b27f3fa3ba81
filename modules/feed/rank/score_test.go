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
		FreshnessDecay: 0.2, TrendingDecay: 0.5, WeeklyDecay: 0.1,
		Engagement: rank.Engagement{Like: 1, Comment: 10, Share: 100, PriorInteractions: 5, PriorExposures: 7},
		Affinity: rank.Affinity{
			View: 1, Click: 10, Like: 100, Comment: 1000, Share: 10000, Hide: -100000, Dislike: -1000000,
		},
	}
	counts := core.Engagement{Exposures: 13, Likes: 2, Comments: 3, Shares: 4}
	require.InDelta(t, 432, c.Interactions(counts), 1e-9)
	require.InDelta(t, 3.128951, c.EngagementTerm(counts), 1e-6) // ln(1 + 437/20)
	require.InDelta(t, 0.449329, c.Freshness(4*time.Hour), 1e-6) // e^-0.8
	require.InDelta(t, -345679,
		c.Affinity.Weighted(rank.AuthorCounts{Views: 1, Clicks: 2, Likes: 3, Comments: 4, Shares: 5, Hides: 4}), 1e-9)
	require.InDelta(t, 654321,
		c.Affinity.Weighted(rank.AuthorCounts{Views: 1, Clicks: 2, Likes: 3, Comments: 4, Shares: 65}), 1e-9)
	require.InDelta(t, 4.615121, c.AffinityTerm(100), 1e-6)
	require.InDelta(t, -4.615121, c.AffinityTerm(-100), 1e-6)
}

// Three likes that nobody saw are three of twelve exposures, not three of none.
func TestInteractionsWithoutExposuresAreTakenToHaveComeAtTheHighestRate(t *testing.T) {
	c := rank.DefaultConfig()
	forged := core.Engagement{Likes: 3, Comments: 3, Shares: 3}            // 18 weighted: of 72 exposures at a quarter
	require.InDelta(t, 0.187742, c.EngagementTerm(forged), 1e-6)           // ln(1 + 19/92)
	require.InDelta(t, 0.552794, c.Trend(forged, 0), 1e-6)                 // ln 19 · that
	require.InDelta(t, 0.525834, c.Trend(forged, time.Hour), 1e-6)         // · e^-0.05
	require.InDelta(t, 0.544564, c.WeeklyTrend(forged, time.Hour), 1e-6)   // · e^-0.015
	seen := core.Engagement{Exposures: 100, Likes: 10}                     // below the rate all stays as it was
	require.InDelta(t, math.Log1p(11./120), c.EngagementTerm(seen), 1e-12) // the prior is 1 of 20
	c.Engagement.MaxRate = 0
	require.InDelta(t, math.Log1p(19./20), c.EngagementTerm(forged), 1e-12, "no bound")
	require.InDelta(t, math.Log1p(1./20), c.EngagementTerm(core.Engagement{Exposures: -15, Likes: -3}), 1e-12,
		"below zero is zero")
}

func TestAPostTakesAsManyPeopleAsTheFloor(t *testing.T) {
	c := rank.DefaultConfig() // 3, or 0.00015 of all reactions
	for reactions, floor := range map[int64]int64{0: 3, 20_000: 3, 20_001: 4, 80_000: 12, 791_639: 119} {
		require.Equal(t, floor, c.Floor(reactions), "%d reactions", reactions)
	}
	v := rank.Versioned{Config: c}
	require.EqualValues(t, 5, v.People(core.Engagement{Likes: 2, Comments: 5, Shares: 4, Exposures: 9}))
	require.Zero(t, v.People(core.Engagement{Likes: -2}))
	require.EqualValues(t, 11, v.Reactions(core.Engagement{Likes: 2, Comments: 5, Shares: 4, Exposures: 9}))
	require.EqualValues(t, 4, v.Reactions(core.Engagement{Likes: -2, Shares: 4}))
}

func TestWhatAHandfulDidUnseenCountsInNoScore(t *testing.T) {
	c := rank.Versioned{Config: rank.DefaultConfig()}
	for _, x := range []struct {
		what  string
		of    core.Engagement
		floor int64
		want  bool
	}{
		{"two, of whom nobody saw it", core.Engagement{Likes: 2}, 3, true},
		{"as many as the floor", core.Engagement{Likes: 3}, 3, false},
		{"two at a rate that is believed", core.Engagement{Likes: 2, Exposures: 8}, 3, false},
		{"two at one that is not", core.Engagement{Likes: 2, Exposures: 7}, 3, true},
		{"eleven on a large site", core.Engagement{Likes: 11}, 119, true},
		{"more than a handful on a large site", core.Engagement{Likes: 12}, 119, false},
		{"nothing at all", core.Engagement{}, 3, false},
	} {
		require.Equal(t, x.want, c.Doubtful(x.of, x.floor), x.what)
	}
	c.Engagement.MaxRate = 0
	require.False(t, c.Doubtful(core.Engagement{Likes: 2}, 3), "no bound")
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
			return c.Score(rank.Terms{
				Freshness: c.Freshness(age), Engagement: c.EngagementTerm(e),
				Affinity: c.AffinityTerm(affinity),
			})
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
