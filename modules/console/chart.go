package console

import (
	"fmt"
	"strings"
)

// measure is what a chart shows, and how its numbers are written.
type measure struct {
	Name, Says string
	write      func(float64) string
}

// chart is a line for each series, day by day.
type chart struct {
	measure
	Known       bool
	Series      []chartLine
	First, Last string // days
	Top         string // the highest value
	days        int
	most        float64
}

type chartLine struct {
	Name, Class, Path string
	Dots              []chartDot
	Latest            string
	values            []figure
}

type chartDot struct{ X, Y, Says string }

// The drawing, in its own units.
const (
	chartWidth, chartHeight = 600, 150
	chartEdge               = 8
	chartLines              = 6 // colours there are
)

func newChart(m measure, days []feedDay) chart {
	c := chart{measure: m, days: len(days)}
	if len(days) > 0 {
		c.First, c.Last = days[0].Date, days[len(days)-1].Date
	}
	return c
}

// add takes a series in, if anything of it is known and there is a colour left.
func (c *chart) add(name string, values []figure) {
	line := chartLine{Name: name, Class: fmt.Sprintf("line%d", len(c.Series)), values: values}
	some := false
	for _, v := range values {
		if v.Known {
			some, line.Latest = true, v.Text
			c.most = max(c.most, v.Value)
		}
	}
	if some && len(c.Series) < chartLines {
		c.Series, c.Known = append(c.Series, line), true
	}
}

// draw makes the lines: days that are not known are gaps.
func (c *chart) draw() {
	if c.most == 0 {
		c.most = 1
	}
	c.Top = c.write(c.most)
	for i := range c.Series {
		line := &c.Series[i]
		var path strings.Builder
		pen := "M"
		for day, v := range line.values {
			if !v.Known {
				pen = "M"
				continue
			}
			x, y := c.at(day, v.Value)
			fmt.Fprintf(&path, "%s%.1f %.1f", pen, x, y)
			pen = "L"
			line.Dots = append(line.Dots, chartDot{fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", y), v.Text})
		}
		line.Path = path.String()
	}
}

func (c *chart) at(day int, value float64) (x, y float64) {
	x = chartWidth / 2
	if c.days > 1 {
		x = chartEdge + float64(day)*(chartWidth-2*chartEdge)/float64(c.days-1)
	}
	return x, chartHeight - chartEdge - value/c.most*(chartHeight-2*chartEdge)
}
