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

// A list is sorted by keys: 32 bits of the score, the best lowest, and the index. Comparing posts takes five times as
// long. What these bits do not tell apart is compared then.
const (
	indexBits = 16
	scoreBits = 32
)

func (l *List) sort() {
	l.keys, l.Order = l.keys[:0], l.Order[:0]
	for i := range l.Posts {
		l.keys = append(l.keys, descending(l.Posts[i].Score)>>(64-scoreBits)<<indexBits|uint64(i))
	}
	l.sortKeys()
	for place, key := range l.keys {
		l.Order = append(l.Order, int32(key&(1<<indexBits-1)))
		for at := place; at > 0 && l.keys[at]>>indexBits == l.keys[at-1]>>indexBits &&
			l.better(l.Order[at], l.Order[at-1]); at-- {
			l.Order[at], l.Order[at-1] = l.Order[at-1], l.Order[at]
		}
	}
}

// sortKeys is a radix sort by the bytes of the score, the lowest first, without those that all keys share. The keys
// come in the order of their index.
func (l *List) sortKeys() {
	const digits = scoreBits / 8
	var counts [digits][256]uint32
	for _, key := range l.keys {
		for digit := range digits {
			counts[digit][byte(key>>(indexBits+8*digit))]++
		}
	}
	l.sorting = slices.Grow(l.sorting[:0], len(l.keys))[:len(l.keys)]
	for digit := range digits {
		shift, places := indexBits+8*digit, &counts[digit]
		if len(l.keys) > 0 && int(places[byte(l.keys[0]>>shift)]) == len(l.keys) {
			continue
		}
		at := uint32(0)
		for value, n := range places {
			places[value], at = at, at+n
		}
		for _, key := range l.keys {
			place := &places[byte(key>>shift)]
			l.sorting[*place] = key
			*place++
		}
		l.keys, l.sorting = l.sorting, l.keys
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
