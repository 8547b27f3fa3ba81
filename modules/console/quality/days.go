package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Row has the numbers of a day, of all feeds or of one source or version.
type Row struct {
	Day, Series string
	Figures     []Figure
}

// Order is by what a figure is ordered; one that is not known comes before all others.
func (r Row) Order(figure int) float64 {
	if figure >= len(r.Figures) || !r.Figures[figure].Known {
		return math.Inf(-1)
	}
	return r.Figures[figure].Value
}

// Figure is a number that may not be known.
type Figure struct {
	Known bool
	Value float64
	Text  string
}

// Day is how feeds did on a day, as the API says it.
type Day struct {
	Date          string           `json:"date"`
	CacheHitRatio *float64         `json:"cache_hit_ratio"`
	ServedFrom    map[string]int64 `json:"served_from"`
	Total         Counts           `json:"total"`
	Rows          []Counts         `json:"rows"`
}

// Counts are what people did with what they were shown.
type Counts struct {
	Source      string   `json:"source"`
	Version     *uint64  `json:"ranking_version"`
	Impressions uint64   `json:"impressions"`
	Clicks      uint64   `json:"clicks"`
	Hides       uint64   `json:"hides"`
	DwellP50    *float64 `json:"dwell_p50_ms"`
}

// measures are what is plotted.
var measures = []measure{
	{"CTR", "clicks for each impression", asPercent},
	{"Dwell", "how long a post is looked at: the median", asSeconds},
	{"Hides", "for each 1,000 impressions", asNumber},
	{"Cache hits", "pages from a fresh entry", asPercent},
	{"Degraded", "pages from a fallback", asPercent},
}

// Plot makes the charts and the table of days, told apart by source or version, or not at all. Where a page came from
// is known of all feeds together only.
func Plot(days []Day, by string) (charts []Chart, rows []Row) {
	var names []string
	values := map[string][][]Figure{} // by series and day
	for i, day := range days {
		for name, figures := range day.series(by) {
			if values[name] == nil {
				values[name] = make([][]Figure, len(days))
				names = append(names, name)
			}
			values[name][i] = figures
			rows = append(rows, Row{Day: day.Date, Series: name, Figures: figures})
		}
	}
	slices.Sort(names)
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), cmp.Compare(a.Series, b.Series))
	})
	for m, measure := range measures {
		chart := newChart(measure, days)
		for _, name := range names {
			line := make([]Figure, len(days))
			for i, figures := range values[name] {
				if figures != nil {
					line[i] = figures[m]
				}
			}
			chart.add(name, line)
		}
		if len(chart.Series) > 0 {
			chart.draw()
			charts = append(charts, chart)
		}
	}
	return charts, rows
}

// series are the figures of a day, by what they are told apart by.
func (d Day) series(by string) map[string][]Figure {
	if by == "" {
		hits, degraded := Figure{}, Figure{}
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
		return map[string][]Figure{"all feeds": append(d.Total.figures(), hits, degraded)}
	}
	sums := map[string]Counts{}
	for _, row := range d.Rows {
		name := row.Source
		if by == "version" && row.Version != nil {
			name = "version " + strconv.FormatUint(*row.Version, 10)
		}
		sums[name] = sums[name].with(row)
	}
	out := map[string][]Figure{}
	for name, row := range sums {
		out[name] = append(row.figures(), Figure{}, Figure{})
	}
	return out
}

// with sums two rows; a dwell time is the mean of both, weighted by what was shown.
func (r Counts) with(o Counts) Counts {
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
func (r Counts) figures() []Figure {
	ctr, dwell, hides := Figure{}, Figure{}, Figure{}
	if r.Impressions > 0 {
		ctr = known(float64(r.Clicks)/float64(r.Impressions), asPercent)
		hides = known(1000*float64(r.Hides)/float64(r.Impressions), asNumber)
	}
	if r.DwellP50 != nil {
		dwell = known(*r.DwellP50, asSeconds)
	}
	return []Figure{ctr, dwell, hides}
}

func known(value float64, write func(float64) string) Figure {
	return Figure{Known: true, Value: value, Text: write(value)}
}

func asPercent(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }
func asSeconds(f float64) string { return fmt.Sprintf("%.1f s", f/1000) }
func asNumber(f float64) string  { return fmt.Sprintf("%.1f", f) }
