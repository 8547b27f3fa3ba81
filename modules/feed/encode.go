package feed

import (
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/token"
)

// appendPage appends the JSON of a page. It is written by hand: it is most of what a cached request
// costs, and everything in it is a number, a time or a word of ours.
func appendPage(b []byte, r *request, cursors *cursor.Codec, tokens *token.Signer) []byte {
	b = append(b, `{"items":[`...)
	for place, at := range r.page {
		if place > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, &r.work.posts[at], r, place, tokens)
	}
	b = append(b, `],"next_cursor":`...)
	if r.next == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '"')
		b = append(b, cursors.Encode(r.User, *r.next)...)
		b = append(b, '"')
	}
	b = append(b, `,"as_of":"`...)
	b = r.now.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","served_from":"`...)
	b = append(b, r.servedFrom...)
	b = append(b, `","degraded":`...)
	b = strconv.AppendBool(b, r.degraded)
	b = append(b, `,"algo":"`...)
	b = append(b, r.algoName()...)
	b = append(b, `","ranking_version":`...)
	b = strconv.AppendUint(b, r.ranking.Version, 10)
	if r.degraded || r.Explain || r.Words {
		b = appendReports(b, r.reports)
	}
	if r.Explain || r.Words {
		b = append(b, `,"stages":[`...)
		b = appendStages(b, r.stages, r.computing)
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendStages lists the stages that led to the page, the parts of a computation within reserve.
func appendStages(b []byte, stages, computing []StageRecord) []byte {
	for i, s := range stages {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`...)
		b = append(b, s.Name...)
		b = append(b, `","ms":`...)
		b = appendNumber(b, float64(s.Took.Microseconds())/1000)
		if s.Name == "reserve" && len(computing) > 0 {
			b = append(b, `,"computing":[`...)
			b = appendStages(b, computing, nil)
			b = append(b, ']')
		}
		b = append(b, '}')
	}
	return b
}

func appendItem(b []byte, s *scored, r *request, place int, tokens *token.Signer) []byte {
	b = append(b, `{"post":"`...)
	b = s.post.Append(b)
	b = append(b, `","author":"`...)
	b = s.author.Append(b)
	b = append(b, `","created_at":"`...)
	b = time.UnixMicro(s.created).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","score":`...)
	b = appendNumber(b, s.score)
	b = append(b, `,"source":"`...)
	b = append(b, s.source.String()...)
	b = append(b, `","feed_session":"`...)
	shown := token.Token{
		Session: r.session.Session, Ranking: r.ranking.Version, Position: r.session.Shown + place + 1,
		Source: s.source.String(), Served: string(r.servedFrom),
	}
	b = tokens.Append(b, r.User, s.post, &shown)
	b = append(b, '"')
	switch {
	case r.Explain:
		b = append(b, `,"explain":`...)
		b = appendExplain(b, s, r, place)
	case r.Words:
		b = append(b, `,"explain":`...)
		b = appendWords(b, s, r, place)
	}
	return append(b, '}')
}

func appendExplain(b []byte, s *scored, r *request, place int) []byte {
	c := &r.ranking.Config
	b = append(b, `{"freshness":`...)
	b = appendNumber(b, s.terms.Freshness)
	b = append(b, `,"engagement":`...)
	b = appendNumber(b, s.terms.Engagement)
	b = append(b, `,"affinity":`...)
	b = appendNumber(b, s.terms.Affinity)
	b = append(b, `,"weights":{"freshness":`...)
	b = appendNumber(b, c.Weights.Freshness)
	b = append(b, `,"engagement":`...)
	b = appendNumber(b, c.Weights.Engagement)
	b = append(b, `,"affinity":`...)
	b = appendNumber(b, c.Weights.Affinity)
	b = append(b, `},"inputs":{"age_hours":`...)
	b = appendNumber(b, max(0, r.now.Sub(time.UnixMicro(s.created)).Hours()))
	b = append(b, `,"exposures":`...)
	b = strconv.AppendInt(b, s.engagement.Exposures, 10)
	b = append(b, `,"likes":`...)
	b = strconv.AppendInt(b, s.engagement.Likes, 10)
	b = append(b, `,"comments":`...)
	b = strconv.AppendInt(b, s.engagement.Comments, 10)
	b = append(b, `,"shares":`...)
	b = strconv.AppendInt(b, s.engagement.Shares, 10)
	b = append(b, `,"author_interactions":`...)
	b = appendNumber(b, s.interactions)
	b = append(b, `},"adjustments":[`...)
	b = appendAdjustments(b, s, r, place)
	b = append(b, `],"position":{"before":`...)
	b = strconv.AppendInt(b, int64(s.before)+1, 10)
	b = append(b, `,"after":`...)
	b = strconv.AppendInt(b, int64(r.session.Shown+place)+1, 10)
	return append(b, "}}"...)
}

// appendAdjustments lists what moved the post from where its score alone would put it.
func appendAdjustments(b []byte, s *scored, r *request, place int) []byte {
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
	case r.timeline:
		say("order of time")
	case len(r.places) > 0 && !r.places[0].Post.Valid():
		say("ranked anew: the order of the session's first page was lost")
	case r.Cursor != "":
		say("order of the session's first page")
	case int(s.before) < place:
		say("diversity: moved down")
	case int(s.before) > place:
		say("diversity: moved up")
	}
	if s.moved {
		say("diversity: before one that has to wait, since posts left the session")
	}
	if s.relaxed > 0 && !r.timeline {
		say("diversity relaxed: " + relaxation(s.relaxed, r.ranking.Diversity))
	}
	if s.suppressed && r.Explain {
		say("engagement does not count: it is of one account, or a few")
	}
	if s.fresh {
		say("arrived after the reserve was made")
	}
	if s.repeated {
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

func appendReports(b []byte, reports []SourceReport) []byte {
	b = append(b, `,"sources":[`...)
	for i := range reports {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`...)
		b = append(b, reports[i].Name...)
		b = append(b, `","posts":`...)
		b = strconv.AppendInt(b, int64(reports[i].Posts), 10)
		b = append(b, `,"ok":`...)
		b = strconv.AppendBool(b, reports[i].Err == nil)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendNumber(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'g', 8, 64) }
