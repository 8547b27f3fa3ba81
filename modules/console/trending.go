package console

import (
	"cmp"
	"net/url"

	"github.com/feedrank/feedrank/modules/console/views"
)

// trendingView is what trends in a window.
type trendingView struct {
	Window  string
	Windows []struct{ Value, Text string }
	Answer  *page
	Rows    []trendingRow
	Sorted  sorting
	Problem *views.Problem

	Needed         int // people
	LeftOut        []trendingRow
	LeftOutBy      sorting
	ReasonsProblem *views.Problem
}

type trendingRow struct {
	item
	Place int
	Width string
	Did   *did // nil: it is older than what is counted
	Why   string
}

// did is what people did with a post.
type did struct {
	People    int64 `json:"people"`
	Likes     int64 `json:"likes"`
	Comments  int64 `json:"comments"`
	Shares    int64 `json:"shares"`
	Exposures int64 `json:"exposures"`
}

// trendReasons are why posts trend, and why others do not.
type trendReasons struct {
	Needed  int           `json:"people_needed"`
	Items   []trendReason `json:"items"`
	LeftOut []trendReason `json:"left_out"`
}

type trendReason struct {
	item
	Did *did   `json:"did"`
	Why string `json:"why"`
}

// doubts are why a post does not trend, in a sentence.
var doubts = map[string]string{
	"too_few_people": "too few people reacted to it",
	"few_accounts":   "one account, or a few, did all of it",
	"not_public":     "it is not for everybody",
	"author_hidden":  "its author is suspended, banned or gone",
	"author_private": "its author shows posts to followers alone",
	"opted_out":      "its author does not want to be recommended",
	"label":          "it has a label that keeps posts out of lists",
}

// maxLeftOut bounds what is shown of what was left out.
const maxLeftOut = 30

var trendingColumns = columns[trendingRow]{
	"place":  func(a, b trendingRow) int { return cmp.Compare(a.Place, b.Place) },
	"post":   func(a, b trendingRow) int { return compareKeys(a.Post, b.Post) },
	"author": func(a, b trendingRow) int { return compareKeys(a.Author, b.Author) },
	"posted": func(a, b trendingRow) int { return a.CreatedAt.Compare(b.CreatedAt) },
	"people": func(a, b trendingRow) int { return cmp.Compare(a.people(), b.people()) },
	"why":    func(a, b trendingRow) int { return cmp.Compare(a.Why, b.Why) },
	"score":  func(a, b trendingRow) int { return cmp.Compare(a.Score, b.Score) },
}

// people is at least how many reacted; -1 where that is not known.
func (r trendingRow) people() int64 {
	if r.Did == nil {
		return -1
	}
	return r.Did.People
}

func (c *Console) trending(v *visit) error {
	view := trendingView{Window: v.QueryParam("window"), Windows: []struct{ Value, Text string }{
		{"1h", "Last hour"}, {"24h", "Last day"}, {"7d", "Last week"},
	}}
	if view.Window == "" {
		view.Window = "24h"
	}
	answer := &page{}
	err := v.get("/admin/v1/feed/trending", url.Values{"window": {view.Window}, "limit": {"100"}}, answer)
	if err != nil {
		view.Problem = v.explain("What trends is not known", err)
		return v.show("trending", "Trending", "trending", view)
	}
	view.Answer = answer
	reasons := trendReasons{}
	err = v.get("/admin/v1/feed/trending/reasons", url.Values{"window": {view.Window}, "limit": {"100"}}, &reasons)
	view.ReasonsProblem = v.explain("What is behind it is not known", err)
	behind := map[string]*did{}
	for _, one := range reasons.Items {
		behind[one.Post] = one.Did
	}
	most := highest(answer.Items)
	for i, it := range answer.Items {
		view.Rows = append(view.Rows, trendingRow{
			item: it, Place: i + 1, Width: views.Width(it.Score, most), Did: behind[it.Post],
		})
	}
	view.Needed = reasons.Needed
	for i, one := range reasons.LeftOut[:min(maxLeftOut, len(reasons.LeftOut))] {
		view.LeftOut = append(view.LeftOut, trendingRow{
			item: one.item, Place: i + 1, Did: one.Did, Why: doubts[one.Why],
		})
	}
	view.Sorted = sorted(v, "sort", view.Rows, trendingColumns)
	view.LeftOutBy = sorted(v, "left", view.LeftOut, trendingColumns)
	return v.show("trending", "Trending", "trending", view)
}
