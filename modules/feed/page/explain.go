package page

import (
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// AppendExplain appends the numbers behind the score of a post, which stands at a place of the page, from 0.
func AppendExplain(b []byte, s *shortlist.Post, p *Page, place int) []byte {
	c := &p.Ranking.Config
	disliked := c.Disliked(s.Engagement)
	b = append(b, `{"freshness":`...)
	b = appendNumber(b, s.Terms.Freshness)
	b = append(b, `,"engagement":`...)
	b = appendNumber(b, s.Terms.Engagement+disliked)
	b = append(b, `,"disliked":`...)
	b = appendNumber(b, 0-disliked)
	b = append(b, `,"affinity":`...)
	b = appendNumber(b, s.Terms.Affinity)
	b = append(b, `,"weights":{"freshness":`...)
	b = appendNumber(b, c.Weights.Freshness)
	b = append(b, `,"engagement":`...)
	b = appendNumber(b, c.Weights.Engagement)
	b = append(b, `,"affinity":`...)
	b = appendNumber(b, c.Weights.Affinity)
	b = append(b, `},"inputs":{"age_hours":`...)
	b = appendNumber(b, max(0, p.Now.Sub(time.UnixMicro(s.Created)).Hours()))
	b = append(b, `,"exposures":`...)
	b = strconv.AppendInt(b, s.Engagement.Exposures, 10)
	b = append(b, `,"likes":`...)
	b = strconv.AppendInt(b, s.Engagement.Likes, 10)
	b = append(b, `,"comments":`...)
	b = strconv.AppendInt(b, s.Engagement.Comments, 10)
	b = append(b, `,"shares":`...)
	b = strconv.AppendInt(b, s.Engagement.Shares, 10)
	b = append(b, `,"dislikes":`...)
	b = strconv.AppendInt(b, s.Engagement.Dislikes, 10)
	b = append(b, `,"author_interactions":`...)
	b = appendNumber(b, s.Interactions)
	b = append(b, `},"adjustments":[`...)
	b = appendAdjustments(b, s, p, place, true)
	b = append(b, `],"position":{"before":`...)
	b = strconv.AppendInt(b, int64(s.Before)+1, 10)
	b = append(b, `,"after":`...)
	b = strconv.AppendInt(b, int64(p.Session.Shown+place)+1, 10)
	return append(b, "}}"...)
}

// appendAdjustments lists what moved the post from where its score alone would put it.
func appendAdjustments(b []byte, s *shortlist.Post, p *Page, place int, numbers bool) []byte {
	first := true
	say := func(what string) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, what...)
		b = append(b, '"')
	}
	switch {
	case p.ByTime:
		say("order of time")
	case p.OrderLost:
		say("ranked anew: the order of the session's first page was lost")
	case p.Later:
		say("order of the session's first page")
	case int(s.Before) < place:
		say("diversity: moved down")
	case int(s.Before) > place:
		say("diversity: moved up")
	}
	if s.Quiet == shortlist.KeptPlace && !p.ByTime {
		say("the place is kept for people who post seldom")
	}
	if s.Moved {
		say("diversity: before one that has to wait, since posts left the session")
	}
	if s.Relaxed > 0 && !p.ByTime {
		say("diversity relaxed: " + relaxation(s.Relaxed, p.Ranking.Diversity))
	}
	if s.Suppressed && numbers {
		say("engagement does not count: it is of one account, or a few")
	}
	if s.Fresh {
		say("arrived after the reserve was made")
	}
	if s.Repeated {
		say("seen before: nothing else is left")
	}
	return b
}

// relaxation names the rule that gave way.
func relaxation(level uint8, rules rank.Diversity) string {
	switch level {
	case 1:
		return "max_per_author"
	case 2:
		return "top"
	default:
		return "gap of " + strconv.Itoa(rules.Gap) + " to " + strconv.Itoa(rules.Gap-int(level)+2)
	}
}
