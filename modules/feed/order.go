package feed

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/feed/rank"
)

// score computes every post's terms and puts the list in the order of the scores. Equal scores are
// ordered by time and id, so that equal input gives equal output.
func (w *work) score(c *rank.Config, now time.Time) {
	w.forgetAffinity()
	for i := range w.posts {
		s := &w.posts[i]
		if !s.rated {
			s.terms.Engagement = c.EngagementTerm(s.engagement)
		}
		s.terms.Freshness = c.Freshness(time.Duration(now.UnixMicro()-s.created) * time.Microsecond)
		s.terms.Affinity = w.affinityTerm(s, c)
		s.score = c.Score(s.terms)
	}
	w.sort()
	for place, i := range w.order {
		w.posts[i].before = int32(place)
	}
}

// affinityTerm is the same for all posts of an author.
func (w *work) affinityTerm(s *scored, c *rank.Config) float64 {
	term := &w.affinity[s.authorAt]
	if math.IsNaN(*term) {
		*term = c.AffinityTerm(s.interactions)
	}
	return *term
}

func (w *work) forgetAffinity() {
	w.affinity = slices.Grow(w.affinity[:0], w.authorCount)[:w.authorCount]
	for i := range w.affinity {
		w.affinity[i] = math.NaN()
	}
}

// A list is sorted by keys of 48 bits of the score, the best lowest, and the index: comparing posts
// takes three times as long. What these bits do not tell apart is compared then.
const indexBits = 16

func (w *work) sort() {
	w.keys, w.order = w.keys[:0], w.order[:0]
	for i := range w.posts {
		w.keys = append(w.keys, descending(w.posts[i].score)&^(1<<indexBits-1)|uint64(i))
	}
	slices.Sort(w.keys)
	for place, key := range w.keys {
		w.order = append(w.order, int32(key&(1<<indexBits-1)))
		for at := place; at > 0 && w.keys[at]>>indexBits == w.keys[at-1]>>indexBits &&
			w.better(w.order[at], w.order[at-1]); at-- {
			w.order[at], w.order[at-1] = w.order[at-1], w.order[at]
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

func (w *work) better(a, b int32) bool {
	x, y := &w.posts[a], &w.posts[b]
	return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(y.created, x.created), cmp.Compare(y.post, x.post)) < 0
}

func (w *work) diversifierFor(rules rank.Diversity) *rank.Diversifier {
	if w.diversifier == nil || w.diversifier.Rules() != rules {
		w.diversifier = rank.NewDiversifier(rules)
	}
	return w.diversifier
}

// diversify reorders the list by the rules of variety.
func (w *work) diversify(rules rank.Diversity) {
	w.diversifierFor(rules)
	w.authors = w.authors[:0]
	for _, i := range w.order {
		w.authors = append(w.authors, w.posts[i].authorAt)
	}
	w.diversified = w.diversifier.Order(w.diversified[:0], w.authors, w.authorCount)
	for place, at := range w.diversified {
		w.diversified[place] = w.order[at]
		w.posts[w.order[at]].relaxed = w.diversifier.Relaxed()[place]
	}
	w.order, w.diversified = w.diversified, w.order
}
