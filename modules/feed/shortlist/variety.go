package shortlist

import (
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Diversify reorders the list by the rules of variety.
func (l *List) Diversify(rules rank.Diversity) {
	d := l.diversifierFor(rules)
	l.authors, l.quiet = l.authors[:0], l.quiet[:0]
	for _, i := range l.Order {
		l.authors = append(l.authors, l.Posts[i].AuthorAt)
	}
	if rules.QuietShare > 0 {
		for _, i := range l.Order {
			l.quiet = append(l.quiet, l.Posts[i].Quiet != NotQuiet)
		}
		d.Quiet(l.quiet)
	}
	l.diversified = d.Order(l.diversified[:0], l.authors, l.authorCount)
	for place, at := range l.diversified {
		l.diversified[place] = l.Order[at]
		l.Posts[l.Order[at]].Relaxed = d.Relaxed()[place]
		if rules.QuietShare > 0 && d.Kept()[place] {
			l.Posts[l.Order[at]].Quiet = KeptPlace
		}
	}
	l.Order, l.diversified = l.diversified, l.Order
}

// DiversifyAfter is the order of the list's posts by the rules of variety behind posts that were given out: before
// ones of which nothing is known, and then those of the authors given. relaxed says how far the rules gave way for
// each place, kept where one stands because the place was kept. All are valid until the list changes.
func (l *List) DiversifyAfter(rules rank.Diversity, before int, given []int32) (order []int32, relaxed []uint8,
	kept []bool,
) {
	l.authors = l.authors[:0]
	for i := range l.Posts {
		l.authors = append(l.authors, l.Posts[i].AuthorAt)
	}
	d := l.diversifierFor(rules)
	if rules.QuietShare > 0 {
		l.quiet = l.quiet[:0]
		for i := range l.Posts {
			l.quiet = append(l.quiet, l.Posts[i].Quiet != NotQuiet)
		}
		d.Quiet(l.quiet)
	}
	l.diversified = d.OrderAfter(l.diversified[:0], before, given, l.authors, l.authorCount)
	return l.diversified, d.Relaxed(), d.Kept()
}

// MarkQuiet notes which posts are of people whom the viewer follows and who posted seldom since a time (microseconds
// since 1970), where places are kept for these.
func (l *List) MarkQuiet(rules rank.Diversity, of *hot.Set, since int64, r *reserve.Reserve) {
	if rules.QuietShare <= 0 {
		return
	}
	set := of.View()
	defer set.Close()
	for i := range l.Posts {
		p := &l.Posts[i]
		if r.Author(p.Author).Relation&reserve.Follows != 0 && set.Seldom(p.Author, since, rules.QuietPosts) {
			p.Quiet = IsQuiet
		}
	}
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
