package page

import (
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// appendWords explains a place without a number: what was counted of others' posts, and by which weights, is for
// operators (feed.explain).
func appendWords(b []byte, s *shortlist.Post, p *Page, place int) []byte {
	b = append(b, `{"reasons":[`...)
	for i, reason := range reasons(s, p) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, reason...)
		b = append(b, '"')
	}
	b = append(b, `],"adjustments":[`...)
	b = appendAdjustments(b, s, p, place, false)
	return append(b, "]}"...)
}

// reasons are what speaks for a post, in the order of the sources and of the terms.
func reasons(s *shortlist.Post, p *Page) []string {
	const young = 0.7 // of what freshness can be: some hours
	c, out := &p.Ranking.Config, make([]string, 0, 4)
	say := func(holds bool, what string) {
		if holds {
			out = append(out, what)
		}
	}
	say(s.Source&reserve.Followee != 0, "you follow the author")
	say(s.Interactions > 0, "you react to the author's posts")
	say(s.Source&reserve.Grouped != 0, "in a group of yours")
	say(s.Source&reserve.Trending != 0, "many react to it today")
	say(s.Source&reserve.Popular != 0, "popular lately")
	say(s.Terms.Freshness >= young, "new")
	say(c.Weights.Engagement*s.Terms.Engagement > c.Weights.Freshness*s.Terms.Freshness, "liked more than it is new")
	say(s.Terms.Engagement < 0, "more dislike it than like it")
	say(s.Interactions < 0, "you hid or disliked posts of the author")
	return out
}
