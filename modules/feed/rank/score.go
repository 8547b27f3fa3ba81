package rank

import (
	"math"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Terms are the three dimensions of a score, before their weights.
type Terms struct {
	Freshness  float64
	Engagement float64
	Affinity   float64
}

// Score weighs the terms. It is monotone in each of them.
func (c *Config) Score(t Terms) float64 {
	return c.Weights.Freshness*t.Freshness + c.Weights.Engagement*t.Engagement + c.Weights.Affinity*t.Affinity
}

// Freshness is exp(−λ · age in hours): 1 for a post of now, or of the future by a clock that is ahead.
func (c *Config) Freshness(age time.Duration) float64 {
	return math.Exp(-c.FreshnessDecay * max(0, age.Hours()))
}

// EngagementTerm is log1p((interactions + a) / (exposures + b)), less what dislikes take. Interactions that come with
// few exposures, or none, are taken to have come at the highest rate that is believed. Counters below zero, which a
// repair may show for a moment, count as zero.
func (c *Config) EngagementTerm(e core.Engagement) float64 {
	return c.rateTerm(e, c.Interactions(e), c.Engagement.PriorInteractions) - c.Disliked(e)
}

// Disliked is log1p(dislikes / (exposures + b)), at most at the highest rate that is believed: as much as likes of the
// same number give. It rises with the dislikes and depends on nothing that likes change, so no post gains by one.
func (c *Config) Disliked(e core.Engagement) float64 {
	if e.Dislikes <= 0 {
		return 0
	}
	return c.rateTerm(e, c.Engagement.Dislike*float64(e.Dislikes), 0)
}

// rateTerm is log1p of how often something was done for an exposure.
func (c *Config) rateTerm(e core.Engagement, done, prior float64) float64 {
	exposures := max(0, float64(e.Exposures))
	if c.Engagement.MaxRate > 0 {
		exposures = max(exposures, done/c.Engagement.MaxRate)
	}
	return math.Log1p((done + prior) / (exposures + c.Engagement.PriorExposures))
}

// Interactions is what was done with a post, weighted: likes + 2·comments + 3·shares.
func (c *Config) Interactions(e core.Engagement) float64 {
	return c.Engagement.Like*max(0, float64(e.Likes)) + c.Engagement.Comment*max(0, float64(e.Comments)) +
		c.Engagement.Share*max(0, float64(e.Shares))
}

// AffinityTerm is log1p of the weighted interactions. Where hides outweigh the rest it is the mirror
// image below zero, so that the author's posts stand after those of strangers.
func (c *Config) AffinityTerm(weighted float64) float64 {
	if weighted < 0 {
		return -math.Log1p(-weighted)
	}
	return math.Log1p(weighted)
}

// AuthorCounts is what a user did with an author's posts.
type AuthorCounts struct {
	Views, Clicks, Likes, Comments, Shares, Hides, Dislikes int64
}

// Add adds what else they did.
func (n *AuthorCounts) Add(o AuthorCounts) {
	n.Views, n.Clicks, n.Likes = n.Views+o.Views, n.Clicks+o.Clicks, n.Likes+o.Likes
	n.Comments, n.Shares, n.Hides = n.Comments+o.Comments, n.Shares+o.Shares, n.Hides+o.Hides
	n.Dislikes += o.Dislikes
}

// Weighted is the sum that AffinityTerm takes.
func (a *Affinity) Weighted(n AuthorCounts) float64 {
	return a.View*float64(max(0, n.Views)) + a.Click*float64(max(0, n.Clicks)) + a.Like*float64(max(0, n.Likes)) +
		a.Comment*float64(max(0, n.Comments)) + a.Share*float64(max(0, n.Shares)) + a.Hide*float64(max(0, n.Hides)) +
		a.Dislike*float64(max(0, n.Dislikes))
}

// People is how many people interacted with a post, at least: each counts once in a kind of reaction, so of the
// kind that there is most of there are as many people. Of likes one person may do as many as the heaviest kind of
// reaction is.
func (v *Versioned) People(e core.Engagement) int64 {
	return max(0, v.likers(e), e.Comments, e.Shares)
}

// Reactions is what People is a share of.
func (v *Versioned) Reactions(e core.Engagement) int64 {
	return max(0, v.likers(e)) + max(0, e.Comments) + max(0, e.Shares)
}

func (v *Versioned) likers(e core.Engagement) int64 {
	heaviest := max(1, v.Heaviest)
	return (e.Likes + heaviest - 1) / heaviest
}

// handful times min_people are too many to be left out of every score, however large the site.
const handful = 4

// Floor is how many people it takes until a post's engagement counts in a list of everybody's, where there were
// so many reactions to all posts in a day.
func (c *Config) Floor(reactions int64) int64 {
	return max(c.Engagement.MinPeople, int64(math.Ceil(c.Engagement.PeopleShare*float64(reactions))))
}

// Enough is how many people are believed at any rate: as many as the floor, or a handful.
func (c *Config) Enough(floor int64) int64 { return min(floor, handful*c.Engagement.MinPeople) }

// Doubtful tells whether what was done with a post does not count anywhere, in no list and in no score: by fewer
// people than the floor, a handful, and at a rate that is not believed, as where who did it never saw it.
func (v *Versioned) Doubtful(e core.Engagement, floor int64) bool {
	few := v.People(e) < v.Enough(floor)
	c := &v.Config
	return c.Engagement.MaxRate > 0 && few && c.Interactions(e) > c.Engagement.MaxRate*max(0, float64(e.Exposures))
}

// Trend orders the trending posts of an hour and a day: log1p(interactions less dislikes) · the term of engagement ·
// exp(−trending_decay · age in hours). A post that nobody interacted with, or more disliked, does not trend.
func (c *Config) Trend(e core.Engagement, age time.Duration) float64 {
	return c.trend(e, age, c.TrendingDecay)
}

// WeeklyTrend is the same for a week.
func (c *Config) WeeklyTrend(e core.Engagement, age time.Duration) float64 {
	return c.trend(e, age, c.WeeklyDecay)
}

func (c *Config) trend(e core.Engagement, age time.Duration, decay float64) float64 {
	net := c.Interactions(e) - c.Engagement.Dislike*max(0, float64(e.Dislikes))
	if net <= 0 {
		return 0
	}
	return math.Log1p(net) * max(0, c.EngagementTerm(e)) * math.Exp(-decay*max(0, age.Hours()))
}
