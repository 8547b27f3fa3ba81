package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/console/quality"
	"github.com/feedrank/feedrank/modules/console/views"
)

// qualityView is how feeds did, day by day.
type qualityView struct {
	Days    int
	Choices []int
	By      string
	Bys     []struct{ Value, Text string }
	Charts  []quality.Chart
	Rows    []quality.Row
	Sorted  sorting
	Missing []string // days that are not counted yet
	Problem *views.Problem
}

// qualityWithin bounds how long days are counted for one page: each reads the events of a day, and is then remembered.
const qualityWithin = 4 * time.Second

func (c *Console) quality(v *visit) error {
	view := qualityView{Days: 7, Choices: []int{7, 14, 30}, By: v.QueryParam("by"), Bys: []struct{ Value, Text string }{
		{"", "all together"}, {"source", "source"}, {"version", "ranking version"},
	}}
	if n, err := strconv.Atoi(v.QueryParam("days")); err == nil && slices.Contains(view.Choices, n) {
		view.Days = n
	}
	if view.By != "source" && view.By != "version" {
		view.By = ""
	}
	days, err := v.feedDays(&view)
	if err != nil {
		view.Problem = v.explain("How feeds did is not known", err)
	}
	view.Charts, view.Rows = quality.Plot(days, view.By)
	byFigure := func(n int) func(a, b quality.Row) int {
		return func(a, b quality.Row) int { return cmp.Compare(a.Order(n), b.Order(n)) }
	}
	view.Sorted = sorted(v, "sort", view.Rows, columns[quality.Row]{
		"day": func(a, b quality.Row) int { return cmp.Compare(a.Day, b.Day) },
		"of":  func(a, b quality.Row) int { return cmp.Compare(a.Series, b.Series) },
		"ctr": byFigure(0), "dwell": byFigure(1), "hides": byFigure(2), "cache": byFigure(3), "degraded": byFigure(4),
	})
	return v.show("quality", "Quality", "quality", view)
}

// feedDays asks for the days, the latest first, for as long as there is time; they come in their order.
func (v *visit) feedDays(view *qualityView) (days []quality.Day, err error) {
	began := v.console.clock.Now()
	for back := range view.Days {
		date := began.UTC().AddDate(0, 0, -back).Format(time.DateOnly)
		if err != nil || v.console.clock.Now().Sub(began) > qualityWithin {
			view.Missing = append(view.Missing, date)
			continue
		}
		var day quality.Day
		if err = v.get("/api/v1/feed/metrics", url.Values{"date": {date}}, &day); err != nil {
			view.Missing = append(view.Missing, date)
			continue
		}
		days = append(days, day)
	}
	slices.Reverse(days)
	return days, err
}
