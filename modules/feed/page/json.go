package page

import (
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/token"
)

// Append appends the JSON of a page.
func Append(b []byte, p *Page, detail Detail, cursors *cursor.Codec, tokens *token.Signer) []byte {
	b = append(b, `{"items":[`...)
	for place, item := range p.Items {
		if place > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, item, p, place, detail, tokens)
	}
	b = append(b, `],"next_cursor":`...)
	if p.Next == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '"')
		b = append(b, cursors.Encode(p.Viewer, *p.Next)...)
		b = append(b, '"')
	}
	b = append(b, `,"as_of":"`...)
	b = appendTime(b, p.Now)
	b = append(b, `","served_from":"`...)
	b = append(b, p.ServedFrom...)
	b = append(b, `","degraded":`...)
	b = strconv.AppendBool(b, p.Degraded)
	b = append(b, `,"algo":"`...)
	b = append(b, p.Algo()...)
	b = append(b, `","ranking_version":`...)
	b = strconv.AppendUint(b, p.Ranking.Version, 10)
	if p.Degraded || detail != Plain {
		b = appendReports(b, p.Sources)
	}
	if detail != Plain {
		b = append(b, `,"stages":[`...)
		b = appendStages(b, p.Stages, p.Computing)
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendStages lists the stages that led to the page, the parts of a computation within reserve.
func appendStages(b []byte, records, computing []stages.Record) []byte {
	for i, s := range records {
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

func appendItem(b []byte, s *shortlist.Post, p *Page, place int, detail Detail, tokens *token.Signer) []byte {
	b = append(b, `{"post":`...)
	b = p.appendKey(b, s.ID)
	b = append(b, `,"author":`...)
	b = p.appendKey(b, s.Author)
	b = append(b, `,"created_at":"`...)
	b = appendTime(b, time.UnixMicro(s.Created))
	b = append(b, `","score":`...)
	b = appendNumber(b, s.Score)
	b = append(b, `,"source":"`...)
	b = append(b, s.Source.String()...)
	b = append(b, `","feed_session":"`...)
	shown := token.Token{
		Session: p.Session.Session, Ranking: p.Ranking.Version, Position: p.Session.Shown + place + 1,
		Source: s.Source.String(), Served: string(p.ServedFrom),
	}
	b = tokens.Append(b, p.Viewer, s.ID, &shown)
	b = append(b, '"')
	switch detail {
	case Numbers:
		b = append(b, `,"explain":`...)
		b = AppendExplain(b, s, p, place)
	case Words:
		b = append(b, `,"explain":`...)
		b = appendWords(b, s, p, place)
	case Plain:
	}
	return append(b, '}')
}

func (p *Page) appendKey(b []byte, id core.ID) []byte {
	if id.Derived() {
		return core.AppendJSONText(b, p.Texts[id])
	}
	return append(id.Append(append(b, '"')), '"')
}

func appendReports(b []byte, reports []stages.Report) []byte {
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

// appendTime writes milliseconds behind a layout that package time has no need to read: that takes a third of the time.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	ms := t.Nanosecond() / int(time.Millisecond)
	b = t.AppendFormat(b, time.RFC3339)
	return append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

func appendNumber(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'g', 8, 64) }

// AppendNewPosts appends the number of new posts, counted up to most.
func AppendNewPosts(b []byte, p *Page, most int) []byte {
	b = append(b, `{"new_posts":`...)
	b = strconv.AppendInt(b, int64(min(p.NewPosts, most)), 10)
	b = append(b, `,"more":`...)
	b = strconv.AppendBool(b, p.NewPosts > most)
	return append(b, '}')
}
