// Command growth draws how costs grow with the world: it reads the reports of `feedrank bench` at several
// scales, and writes an SVG. What is drawn are ratios to the figure at reference scale, so that costs of
// different units stand on one axis, and machines compare.
//
//	go run ./test/growth > test/growth/growth.svg
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// report is the part of a bench's report that is drawn.
type report struct {
	Bench string
	World struct {
		Scale  string
		Events float64
	}
	Figures []struct {
		Name     string
		Unit     string
		Measured float64
	}
}

// lines are what is drawn: the figure of a bench by the beginning of its name.
var lines = []struct{ bench, figure, label, colour string }{
	{"feed-computed", "CPU of all processes", "computed feed: CPU", "#2563eb"},
	{"feed-cached", "CPU of all processes", "cached feed: CPU", "#059669"},
	{"views", "post_metrics_1h: 150 posts", "150 posts of the hourly view: P95", "#d97706"},
	{"views", "user_author_90d", "a user's authors: P95", "#dc2626"},
	{"memory", "loading the hot set", "loading the hot set: time", "#7c3aed"},
}

func main() {
	files, err := filepath.Glob("test/reports/*.json")
	if err == nil {
		err = draw(os.Stdout, files)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// point is a figure at a scale.
type point struct{ events, ratio, measured float64 }

func draw(out io.Writer, files []string) error {
	var reports []report
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		reports = append(reports, r)
	}
	const width, height, left, top, right, bottom = 760, 380, 60, 30, 250, 50
	x := func(events float64) float64 { return left + (math.Log10(events)-4)/4*(width-left-right) } // 10^4 to 10^8
	y := func(ratio float64) float64 {
		return top + (1-math.Log10(max(0.01, min(10, ratio))))/3*(height-top-bottom) // 10 to 0.01
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for e := 4; e <= 8; e++ {
		at := x(math.Pow10(e))
		fmt.Fprintf(&b, `<path d="M%.0f %d V%d" stroke="#e5e7eb"/><text x="%.0f" y="%d" text-anchor="middle">10^%d</text>`+"\n", at, top, height-bottom, at, height-bottom+18, e)
	}
	for e := -2; e <= 1; e++ {
		at := y(math.Pow10(e))
		fmt.Fprintf(&b, `<path d="M%d %.0f H%d" stroke="#e5e7eb"/><text x="%d" y="%.0f" text-anchor="end">×%g</text>`+"\n", left, at, width-right, left-6, at+4, math.Pow10(e))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">events in the world</text>`+"\n", (left+width-right)/2, height-10)
	fmt.Fprintf(&b, `<text x="%d" y="18">cost, against that at 10 million events a day</text>`+"\n", left)
	for i, l := range lines {
		points := pointsOf(reports, l.bench, l.figure)
		if len(points) == 0 {
			return fmt.Errorf("no reports of %s: run `feedrank bench %s --scale reference`, and at other scales", l.bench, l.bench)
		}
		var path []string
		for _, p := range points {
			path = append(path, fmt.Sprintf("%.1f,%.1f", x(p.events), y(p.ratio)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.events), y(p.ratio), l.colour)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), l.colour)
		at := top + 20 + 22*i
		fmt.Fprintf(&b, `<path d="M%d %d h18" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n", width-right+12, at-4, l.colour, width-right+36, at, l.label)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// pointsOf are the figures of a bench at all scales, as ratios to the one at reference scale.
func pointsOf(reports []report, bench, figure string) []point {
	var points []point
	reference := 0.0
	for _, r := range reports {
		if r.Bench != bench {
			continue
		}
		for _, f := range r.Figures {
			if !strings.HasPrefix(f.Name, figure) {
				continue
			}
			points = append(points, point{events: r.World.Events, measured: f.Measured})
			if r.World.Scale == "reference" {
				reference = f.Measured
			}
		}
	}
	if reference == 0 {
		return nil
	}
	for i := range points {
		points[i].ratio = points[i].measured / reference
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.events, b.events) })
	return points
}
