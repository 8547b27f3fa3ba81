package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/console/views"
)

// qualityView is how feeds did, day by day.
type qualityView struct {
	Days    int
	Choices []int
	By      string
	Bys     []struct{ Value, Text string }
	Charts  []chart
	Rows    []qualityRow
	Missing []string // days that are not counted yet
	Known   bool     // there is anything to plot
	Problem *views.Problem
}

// qualityRow has the numbers of a day, of all feeds or of one source or version.
type qualityRow struct {
	Day, Series string
	Figures     []figure
}

// figure is a number that may not be known.
type figure struct {
	Known bool
	Value float64
	Text  string
}

// feedDay is how feeds did on a day, as the API says it.
type feedDay struct {
	Date          string           `json:"date"`
	CacheHitRatio *float64         `json:"cache_hit_ratio"`
	ServedFrom    map[string]int64 `json:"served_from"`
	Total         feedDayRow       `json:"total"`
	Rows          []feedDayRow     `json:"rows"`
}

type feedDayRow struct {
	Source      string   `json:"source"`
	Version     *uint64  `json:"ranking_version"`
	Impressions uint64   `json:"impressions"`
	Clicks      uint64   `json:"clicks"`
	Hides       uint64   `json:"hides"`
	DwellP50    *float64 `json:"dwell_p50_ms"`
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
	view.plot(days)
	return v.show("quality", "Quality", "quality", view)
}

// feedDays asks for the days, the latest first, for as long as there is time; they come in their order.
func (v *visit) feedDays(view *qualityView) (days []feedDay, err error) {
	began := v.console.clock.Now()
	for back := range view.Days {
		date := began.UTC().AddDate(0, 0, -back).Format(time.DateOnly)
		if err != nil || v.console.clock.Now().Sub(began) > qualityWithin {
			view.Missing = append(view.Missing, date)
			continue
		}
		var day feedDay
		if err = v.get("/api/v1/feed/metrics", url.Values{"date": {date}}, &day); err != nil {
			view.Missing = append(view.Missing, date)
			continue
		}
		days = append(days, day)
	}
	slices.Reverse(days)
	return days, err
}

// measures are what is plotted.
var measures = []measure{
	{"CTR", "clicks for each impression", asPercent},
	{"Dwell", "how long a post is looked at: the median", asSeconds},
	{"Hides", "for each 1,000 impressions", asNumber},
	{"Cache hits", "pages from a fresh entry", asPercent},
	{"Degraded", "pages from a fallback", asPercent},
}

// plot makes the charts and the table. Where a page came from is known of all feeds together only.
func (view *qualityView) plot(days []feedDay) {
	var names []string
	values := map[string][][]figure{} // by series and day
	for i, day := range days {
		for name, figures := range day.series(view.By) {
			if values[name] == nil {
				values[name] = make([][]figure, len(days))
				names = append(names, name)
			}
			values[name][i] = figures
			view.Rows = append(view.Rows, qualityRow{Day: day.Date, Series: name, Figures: figures})
		}
	}
	slices.Sort(names)
	slices.SortFunc(view.Rows, func(a, b qualityRow) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), cmp.Compare(a.Series, b.Series))
	})
	for m, measure := range measures {
		chart := newChart(measure, days)
		for _, name := range names {
			line := make([]figure, len(days))
			for i, figures := range values[name] {
				if figures != nil {
					line[i] = figures[m]
				}
			}
			chart.add(name, line)
		}
		if chart.Known {
			chart.draw()
			view.Charts, view.Known = append(view.Charts, chart), true
		}
	}
}

// series are the figures of a day, by what they are told apart by.
func (d feedDay) series(by string) map[string][]figure {
	if by == "" {
		hits, degraded := figure{}, figure{}
		var all, fallen int64
		for from, n := range d.ServedFrom {
			all += n
			if from != "cache" && from != "clickhouse" {
				fallen += n
			}
		}
		if d.CacheHitRatio != nil {
			hits = known(*d.CacheHitRatio, asPercent)
		}
		if all > 0 {
			degraded = known(float64(fallen)/float64(all), asPercent)
		}
		return map[string][]figure{"all feeds": append(d.Total.figures(), hits, degraded)}
	}
	sums := map[string]feedDayRow{}
	for _, row := range d.Rows {
		name := row.Source
		if by == "version" && row.Version != nil {
			name = "version " + strconv.FormatUint(*row.Version, 10)
		}
		sums[name] = sums[name].with(row)
	}
	out := map[string][]figure{}
	for name, row := range sums {
		out[name] = append(row.figures(), figure{}, figure{})
	}
	return out
}

// with sums two rows; a dwell time is the mean of both, weighted by what was shown.
func (r feedDayRow) with(o feedDayRow) feedDayRow {
	if r.DwellP50 != nil && o.DwellP50 != nil && r.Impressions+o.Impressions > 0 {
		mean := (*r.DwellP50*float64(r.Impressions) + *o.DwellP50*float64(o.Impressions)) /
			float64(r.Impressions+o.Impressions)
		o.DwellP50 = &mean
	} else if o.DwellP50 == nil {
		o.DwellP50 = r.DwellP50
	}
	o.Impressions, o.Clicks, o.Hides = r.Impressions+o.Impressions, r.Clicks+o.Clicks, r.Hides+o.Hides
	return o
}

// figures are CTR, dwell and hides.
func (r feedDayRow) figures() []figure {
	ctr, dwell, hides := figure{}, figure{}, figure{}
	if r.Impressions > 0 {
		ctr = known(float64(r.Clicks)/float64(r.Impressions), asPercent)
		hides = known(1000*float64(r.Hides)/float64(r.Impressions), asNumber)
	}
	if r.DwellP50 != nil {
		dwell = known(*r.DwellP50, asSeconds)
	}
	return []figure{ctr, dwell, hides}
}

func known(value float64, write func(float64) string) figure {
	return figure{Known: true, Value: value, Text: write(value)}
}

func asPercent(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }
func asSeconds(f float64) string { return fmt.Sprintf("%.1f s", f/1000) }
func asNumber(f float64) string  { return fmt.Sprintf("%.1f", f) }
