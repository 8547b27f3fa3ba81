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
	"strconv"
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

// A line is a figure of a bench, by the beginning of its name. What is done for each CPU second is drawn as its
// inverse, what one takes: costs grow upwards.
type line struct {
	bench, figure, label string
	inverse              bool
}

// panels are drawn one below the other.
var panels = []struct {
	title string
	lines []line
}{
	{"a request", []line{
		{bench: "feed-computed", figure: "CPU of all processes", label: "computed feed: CPU"},
		{bench: "feed-cached", figure: "CPU of all processes", label: "cached feed: CPU"},
		{bench: "trending", figure: "CPU of all processes", label: "trending posts: CPU"},
		{bench: "suggestions", figure: "CPU of all processes", label: "a list of suggestions: CPU"},
		{bench: "mixed", figure: "CPU of all processes", label: "everything at once: CPU"},
		{bench: "feed-mixed", figure: "P95 of a feed", label: "people who come and go: P95"},
	}},
	{"a question to ClickHouse: P95", []line{
		{bench: "views", figure: "post_metrics_1h: 150 posts", label: "150 posts of a day"},
		{bench: "views", figure: "post_metrics_1h: every post in this hour", label: "every post of this hour"},
		{bench: "views", figure: "post_metrics_1h: every post in 24 h", label: "every post of a day"},
		{bench: "views", figure: "user_author_90d", label: "a user's authors"},
	}},
	{"from the app to the feed", []line{
		{bench: "freshness", figure: "event to", label: "event to feed: P95"},
		{bench: "freshness", figure: "commit to", label: "commit to feed: P95"},
		{bench: "ingest", figure: "events for each CPU second", label: "an event: CPU", inverse: true},
		{bench: "cdc", figure: "commit to visible", label: "commit to ClickHouse: P95"},
		{bench: "cdc", figure: "rows for each CPU second", label: "a changed row: CPU", inverse: true},
	}},
	{"a replica", []line{
		{bench: "memory", figure: "loading the hot set", label: "loading the hot set"},
		{bench: "memory", figure: "keeping it current", label: "keeping it current: CPU"},
		{bench: "memory", figure: "hot set", label: "a post in it: memory"},
		{bench: "memory", figure: "resident at", label: "memory at 1,000 requests/s"},
		{bench: "availability", figure: "P99", label: "servers fail: P99"},
		{bench: "overload", figure: "P99", label: "overload: P99"},
	}},
}

var colours = []string{"#2563eb", "#059669", "#d97706", "#dc2626", "#7c3aed", "#475569"}

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
	const width, height = 760, 230 // of a panel
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height*len(panels))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height*len(panels))
	for i, panel := range panels {
		fmt.Fprintf(&b, `<g transform="translate(0 %d)">`+"\n", i*height)
		axes(&b, panel.title)
		for n, l := range panel.lines {
			points, reference := pointsOf(reports, l)
			if len(points) == 0 {
				return fmt.Errorf("no reports of %s with %q: run `feedrank bench %s --scale reference`, and at other scales", l.bench, l.figure, l.bench)
			}
			plot(&b, n, l.label+", "+reference, points)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// The frame of a panel. Both axes are logarithmic: 10^6 to 10^8 events, a tenth to ten times of the cost.
const (
	left, right = 60.0, 460.0
	top, bottom = 34.0, 184.0
)

func x(events float64) float64 { return left + (math.Log10(events)-6)/2*(right-left) }

func y(ratio float64) float64 {
	return (top+bottom)/2 - math.Log10(max(0.1, min(10, ratio)))/2*(bottom-top)
}

func axes(b *strings.Builder, title string) {
	fmt.Fprintf(b, `<text x="%.0f" y="20" font-weight="bold">%s</text>`+"\n", left, title)
	for _, scale := range []struct {
		events float64
		name   string
	}{{1e6, "1M events"}, {1e7, "10M"}, {1e8, "100M"}} {
		at := x(scale.events)
		fmt.Fprintf(b, `<path d="M%.0f %.0f V%.0f" stroke="#e5e7eb"/><text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`+"\n", at, top, bottom, at, bottom+18, scale.name)
	}
	for _, ratio := range []float64{0.1, 0.3, 1, 3, 10} {
		at := y(ratio)
		fmt.Fprintf(b, `<path d="M%.0f %.0f H%.0f" stroke="#e5e7eb"/><text x="%.0f" y="%.0f" text-anchor="end">×%g</text>`+"\n", left, at, right, left-6, at+4, ratio)
	}
}

// plot draws a line and names it.
func plot(b *strings.Builder, n int, label string, points []point) {
	colour := colours[n]
	var path []string
	for _, p := range points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", x(p.events), y(p.ratio)))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.events), y(p.ratio), colour)
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "),
		colour)
	at := top + 12 + 22*float64(n)
	fmt.Fprintf(b, `<path d="M%.0f %.0f h18" stroke="%s" stroke-width="2"/><text x="%.0f" y="%.0f">%s</text>`+"\n",
		right+16, at-4, colour, right+40, at, label)
}

// amount is a figure with three digits, and its unit.
func amount(measured float64, unit string) string {
	digits := 2 - int(math.Floor(math.Log10(measured)))
	return strconv.FormatFloat(measured, 'f', max(0, digits), 64) + " " + unit
}

// pointsOf are the figures of a line at all scales, as ratios to the one at reference scale, and that one itself.
func pointsOf(reports []report, l line) (points []point, at string) {
	reference, unit := 0.0, ""
	for _, r := range reports {
		if r.Bench != l.bench || !slices.Contains([]string{"tenth", "reference", "large"}, r.World.Scale) {
			continue
		}
		for _, f := range r.Figures {
			if !strings.HasPrefix(strings.TrimSpace(f.Name), l.figure) {
				continue
			}
			if r.World.Scale == "reference" {
				reference, unit = f.Measured, f.Unit
			}
			points = append(points, point{events: r.World.Events, measured: f.Measured})
			break
		}
	}
	if reference == 0 {
		return nil, ""
	}
	if l.inverse { // so many for a CPU second
		reference, unit = 1e6/reference, "µs"
	}
	for i, p := range points {
		if l.inverse {
			points[i].measured = 1e6 / p.measured
		}
		points[i].ratio = points[i].measured / reference
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.events, b.events) })
	return points, amount(reference, unit)
}
