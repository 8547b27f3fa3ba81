package console

import (
	"net/url"

	"github.com/feedrank/feedrank/modules/console/views"
)

// trendingView is what trends in a window.
type trendingView struct {
	Window  string
	Windows []struct{ Value, Text string }
	Answer  *page
	Rows    []trendingRow
	Problem *views.Problem
}

type trendingRow struct {
	item
	Place int
	Width string
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
	most := highest(answer.Items)
	for i, it := range answer.Items {
		view.Rows = append(view.Rows, trendingRow{item: it, Place: i + 1, Width: views.Width(it.Score, most)})
	}
	return v.show("trending", "Trending", "trending", view)
}
