package shortlist

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/feed/rank"
)

// Score computes every post's terms and puts the list in the order of the scores. Equal scores are
// ordered by time and id, so that equal input gives equal output.
func (l *List) Score(c *rank.Config, now time.Time) {
	l.forgetAffinity()
	for i := range l.Posts {
		s := &l.Posts[i]
		if !s.Rated {
			s.Terms.Engagement = c.EngagementTerm(s.Engagement)
		}
		s.Terms.Freshness = c.Freshness(time.Duration(now.UnixMicro()-s.Created) * time.Microsecond)
		s.Terms.Affinity = l.affinityTerm(s, c)
		s.Score = c.Score(s.Terms)
	}
	l.sort()
	for place, i := range l.Order {
		l.Posts[i].Before = int32(place)
	}
}

// AsListed puts the list in the order in which the posts came in.
func (l *List) AsListed() {
	l.Order = l.Order[:0]
	for i := range l.Posts {
		l.Order = append(l.Order, int32(i))
	}
}

// affinityTerm is the same for all posts of an author.
func (l *List) affinityTerm(s *Post, c *rank.Config) float64 {
	term := &l.affinity[s.AuthorAt]
	if math.IsNaN(*term) {
		*term = c.AffinityTerm(s.Interactions)
	}
	return *term
}

func (l *List) forgetAffinity() {
	l.affinity = slices.Grow(l.affinity[:0], l.authorCount)[:l.authorCount]
	for i := range l.affinity {
		l.affinity[i] = math.NaN()
	}
}

// A list is sorted by keys of 48 bits of the score, the best lowest, and the index: comparing posts
// takes three times as long. What these bits do not tell apart is compared then.
const indexBits = 16

func (l *List) sort() {
	l.keys, l.Order = l.keys[:0], l.Order[:0]
	for i := range l.Posts {
		l.keys = append(l.keys, descending(l.Posts[i].Score)&^(1<<indexBits-1)|uint64(i))
	}
	slices.Sort(l.keys)
	for place, key := range l.keys {
		l.Order = append(l.Order, int32(key&(1<<indexBits-1)))
		for at := place; at > 0 && l.keys[at]>>indexBits == l.keys[at-1]>>indexBits &&
			l.better(l.Order[at], l.Order[at-1]); at-- {
			l.Order[at], l.Order[at-1] = l.Order[at-1], l.Order[at]
		}
	}
}

// descending is a number that is the lower the higher the score, which is never NaN.
func descending(score float64) uint64 {
	bits := math.Float64bits(score + 0) // there is one zero
	if bits>>63 == 1 {
		return bits
	}
	return ^bits &^ (1 << 63)
}

func (l *List) better(a, b int32) bool {
	x, y := &l.Posts[a], &l.Posts[b]
	return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(y.Created, x.Created), cmp.Compare(y.ID, x.ID)) < 0
}
