package suggest

import (
	"cmp"
	"math"
	"slices"

	"github.com/feedrank/feedrank/modules/core"
)

// Kind is a reason to suggest somebody.
type Kind string

// The reasons. Clients show them; never change the meaning of one.
const (
	FollowedBy Kind = "followed_by" // count people whom the user follows follow them; users are some of these
	EngagedBy  Kind = "engaged_by"  // count people whom the user follows like, comment or share their posts
	Engaged    Kind = "engaged"     // the user likes, comments and shares their posts: count, weighted
	Popular    Kind = "popular"     // count people like, comment or share their posts
	Active     Kind = "active"      // they posted lately
)

// Reason says why somebody is suggested: the one that weighs most.
type Reason struct {
	Kind  Kind      `json:"kind"`
	Count int64     `json:"count,omitempty"`
	Users []core.ID `json:"users,omitempty"`
}

// Item is one suggestion.
type Item struct {
	User   core.ID `json:"user"`
	Reason Reason  `json:"reason"`
	Score  float64 `json:"score"`
}

// some is how many of the people who speak for somebody a reason names.
const some = 3

// candidate collects what speaks for somebody.
type candidate struct {
	id                                      core.ID
	followedBy, engagedBy, engaged, popular int64
	followers, engagers                     [some]core.ID // some of them
}

// candidates are people, each once.
type candidates struct {
	places map[core.ID]int32
	all    []candidate
}

func newCandidates() *candidates {
	const usual = 1024
	return &candidates{places: make(map[core.ID]int32, usual), all: make([]candidate, 0, usual)}
}

// of is the candidate of an id, until the next is asked for.
func (c *candidates) of(id core.ID) *candidate {
	at, there := c.places[id]
	if !there {
		at = int32(len(c.all))
		c.places[id], c.all = at, append(c.all, candidate{id: id})
	}
	return &c.all[at]
}

// near counts whom somebody follows, and whose posts they care for.
func (c *candidates) near(seed core.ID, circle Circle) {
	circle.Each(func(id core.ID) {
		one := c.of(id)
		if one.followedBy < some {
			one.followers[one.followedBy] = seed
		}
		one.followedBy++
	}, func(act Act) {
		one := c.of(act.Author)
		if one.engagedBy < some {
			one.engagers[one.engagedBy] = seed
		}
		one.engagedBy++
	})
}

// ranked is a candidate and their score.
type ranked struct {
	*candidate
	score float64
}

func compareRanked(a, b ranked) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
}

// rank orders the candidates, best first, and leaves out those who are barred.
func (c *candidates) rank(w *Weights, most int, barred func(core.ID) bool) []Item {
	best, worst := make([]ranked, 0, min(len(c.all), 2*most)), math.Inf(-1)
	for i := range c.all {
		one := ranked{&c.all[i], c.all[i].score(w)}
		if one.score < worst || barred(one.id) {
			continue
		}
		if len(best) == 2*most { // so each is compared with few
			slices.SortFunc(best, compareRanked)
			best, worst = best[:most], best[most-1].score
		}
		best = append(best, one)
	}
	slices.SortFunc(best, compareRanked)
	best = best[:min(most, len(best))]
	items := make([]Item, len(best))
	for i, one := range best {
		items[i] = one.item(w, one.score)
	}
	return items
}

// score weighs what speaks for somebody. It rises with every count.
func (c *candidate) score(w *Weights) float64 {
	return weigh(w.FollowedBy, c.followedBy) + weigh(w.EngagedBy, c.engagedBy) + weigh(w.Engaged, c.engaged) +
		weigh(w.Popular, c.popular)
}

func weigh(weight float64, count int64) float64 {
	if count == 0 {
		return 0
	}
	return weight * math.Log1p(float64(count))
}

// item gives the reason that weighs most.
func (c *candidate) item(w *Weights, score float64) Item {
	reasons := [...]struct {
		value  float64
		reason Reason
	}{
		{weigh(w.FollowedBy, c.followedBy), Reason{
			Kind: FollowedBy, Count: c.followedBy,
			Users: c.followers[:min(some, c.followedBy)],
		}},
		{weigh(w.EngagedBy, c.engagedBy), Reason{
			Kind: EngagedBy, Count: c.engagedBy,
			Users: c.engagers[:min(some, c.engagedBy)],
		}},
		{weigh(w.Engaged, c.engaged), Reason{Kind: Engaged, Count: c.engaged}},
		{weigh(w.Popular, c.popular), Reason{Kind: Popular, Count: c.popular}},
	}
	item, most := Item{User: c.id, Score: score, Reason: Reason{Kind: Popular, Count: c.popular}}, 0.0
	for _, one := range reasons {
		if one.value > most {
			most, item.Reason = one.value, one.reason
		}
	}
	// Nothing of a list holds on to all the candidates it was chosen from.
	item.Reason.Users = slices.Clone(item.Reason.Users)
	return item
}
