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

// candidate collects what speaks for somebody.
type candidate struct {
	followedBy, engagedBy, engaged, popular int64
	followers, engagers                     []core.ID // some of them
}

// candidates are people by id.
type candidates map[core.ID]*candidate

func (c candidates) of(id core.ID) *candidate {
	one := c[id]
	if one == nil {
		one = &candidate{}
		c[id] = one
	}
	return one
}

// rank orders the candidates, best first, and leaves out those who are barred.
func (c candidates) rank(w *Weights, most int, barred func(core.ID) bool) []Item {
	items := make([]Item, 0, len(c))
	for id, one := range c {
		if !barred(id) {
			items = append(items, one.item(id, w))
		}
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.User, b.User))
	})
	return items[:min(most, len(items))]
}

// item weighs what speaks for somebody. The score rises with every count.
func (c *candidate) item(id core.ID, w *Weights) Item {
	terms := [...]struct {
		value  float64
		reason Reason
	}{
		{w.FollowedBy * math.Log1p(float64(c.followedBy)), Reason{Kind: FollowedBy, Count: c.followedBy, Users: c.followers}},
		{w.EngagedBy * math.Log1p(float64(c.engagedBy)), Reason{Kind: EngagedBy, Count: c.engagedBy, Users: c.engagers}},
		{w.Engaged * math.Log1p(float64(c.engaged)), Reason{Kind: Engaged, Count: c.engaged}},
		{w.Popular * math.Log1p(float64(c.popular)), Reason{Kind: Popular, Count: c.popular}},
	}
	item, most := Item{User: id, Reason: Reason{Kind: Popular, Count: c.popular}}, 0.0
	for i := range terms {
		item.Score += terms[i].value
		if terms[i].value > most {
			most, item.Reason = terms[i].value, terms[i].reason
		}
	}
	return item
}
