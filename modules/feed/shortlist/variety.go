package shortlist

import "github.com/feedrank/feedrank/modules/feed/rank"

// Diversify reorders the list by the rules of variety.
func (l *List) Diversify(rules rank.Diversity) {
	d := l.diversifierFor(rules)
	l.authors = l.authors[:0]
	for _, i := range l.Order {
		l.authors = append(l.authors, l.Posts[i].AuthorAt)
	}
	l.diversified = d.Order(l.diversified[:0], l.authors, l.authorCount)
	for place, at := range l.diversified {
		l.diversified[place] = l.Order[at]
		l.Posts[l.Order[at]].Relaxed = d.Relaxed()[place]
	}
	l.Order, l.diversified = l.diversified, l.Order
}

// DiversifyAfter is the order of the list's posts by the rules of variety behind posts that were given out: before
// ones of which nothing is known, and then those of the authors given. relaxed says how far the rules gave way for
// each place. Both are valid until the list changes.
func (l *List) DiversifyAfter(rules rank.Diversity, before int, given []int32) (order []int32, relaxed []uint8) {
	l.authors = l.authors[:0]
	for i := range l.Posts {
		l.authors = append(l.authors, l.Posts[i].AuthorAt)
	}
	d := l.diversifierFor(rules)
	l.diversified = d.OrderAfter(l.diversified[:0], before, given, l.authors, l.authorCount)
	return l.diversified, d.Relaxed()
}

// Keep leaves only these posts, in this order.
func (l *List) Keep(chosen []int32) {
	l.kept = l.kept[:0]
	for _, at := range chosen {
		l.kept = append(l.kept, l.Posts[at])
	}
	l.Posts, l.kept, l.ids = l.kept, l.Posts, l.ids[:0]
}

func (l *List) diversifierFor(rules rank.Diversity) *rank.Diversifier {
	if l.diversifier == nil || l.diversifier.Rules() != rules {
		l.diversifier = rank.NewDiversifier(rules)
	}
	return l.diversifier
}
