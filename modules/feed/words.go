package feed

import "github.com/feedrank/feedrank/modules/feed/reserve"

// appendWords explains a place without a number: what was counted of others' posts, and by which weights, is for
// operators (feed.explain).
func appendWords(b []byte, s *scored, r *request, place int) []byte {
	b = append(b, `{"reasons":[`...)
	for i, reason := range reasons(s, r) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, reason...)
		b = append(b, '"')
	}
	b = append(b, `],"adjustments":[`...)
	b = appendAdjustments(b, s, r, place)
	return append(b, "]}"...)
}

// reasons are what speaks for a post, in the order of the sources and of the terms.
func reasons(s *scored, r *request) []string {
	const young = 0.7 // of what freshness can be: some hours
	c, out := &r.ranking.Config, make([]string, 0, 4)
	say := func(holds bool, what string) {
		if holds {
			out = append(out, what)
		}
	}
	say(s.source&reserve.Followee != 0, "you follow the author")
	say(s.interactions > 0, "you react to the author's posts")
	say(s.source&reserve.Trending != 0, "many react to it today")
	say(s.source&reserve.Popular != 0, "popular lately")
	say(s.terms.Freshness >= young, "new")
	say(c.Weights.Engagement*s.terms.Engagement > c.Weights.Freshness*s.terms.Freshness, "liked more than it is new")
	say(s.interactions < 0, "you hid posts of the author")
	return out
}
