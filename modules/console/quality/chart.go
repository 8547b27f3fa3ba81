package quality

import (
	"fmt"
	"strings"
)

// measure is what a chart shows, and how its numbers are written.
type measure struct {
	name, says string
	write      func(float64) string
}

// Chart is a line for each series, day by day.
type Chart struct {
	Name, Says  string
	write       func(float64) string
	Series      []Line
	First, Last string // days
	Top         string // the highest value
	days        int
	most        float64
}

// Line is a series: dots where it is known, and a path between those of days that follow each other.
type Line struct {
	Name, Class, Path string
	Dots              []Dot
	Latest            string
	values            []Figure
}

// Dot is a day.
type Dot struct{ X, Y, Says string }

// The drawing, in its own units.
const (
	width, height = 600, 150
	edge          = 8
	colours       = 6 // colours there are
)

func newChart(m measure, days []Day) Chart {
	c := Chart{Name: m.name, Says: m.says, write: m.write, days: len(days)}
	if len(days) > 0 {
		c.First, c.Last = days[0].Date, days[len(days)-1].Date
	}
	return c
}

// add takes a series in, if anything of it is known and there is a colour left.
func (c *Chart) add(name string, values []Figure) {
	line := Line{Name: name, Class: fmt.Sprintf("line%d", len(c.Series)), values: values}
	some := false
	for _, v := range values {
		if v.Known {
			some, line.Latest = true, v.Text
			c.most = max(c.most, v.Value)
		}
	}
	if some && len(c.Series) < colours {
		c.Series = append(c.Series, line)
	}
}

// draw makes the lines: days that are not known are gaps.
func (c *Chart) draw() {
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
			line.Dots = append(line.Dots, Dot{fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", y), v.Text})
		}
		line.Path = path.String()
	}
}

func (c *Chart) at(day int, value float64) (x, y float64) {
	x = width / 2
	if c.days > 1 {
		x = edge + float64(day)*(width-2*edge)/float64(c.days-1)
	}
	return x, height - edge - value/c.most*(height-2*edge)
}
