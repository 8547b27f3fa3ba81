package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// headlines are the rows of the short table: a figure of a bench, by the beginning of its name.
var headlines = []struct{ bench, figure, label string }{
	{"feed-cached", "P95 at", "cached feed, P95 at 1,000 requests/s"},
	{"feed-computed", "P95 at", "computed feed, P95"},
	{"feed-computed", "CPU of all processes", "computed feed, CPU of all processes"},
	{"trending", "P95 at", "trending, P95 at 1,000/s"},
	{"freshness", "event to", "from an event to the changed, cached feed, P95"},
	{"freshness", "commit to", "from a commit to the changed, cached feed, P95"},
	{"cdc", "commit to visible", "from a commit to its row in ClickHouse, P95"},
	{"ingest", "events for each CPU second", "events for each CPU second of the consumer"},
	{"views", "post_metrics_1h: 150 posts", "150 posts of `post_metrics_1h`, P95"},
	{"memory", "loading the hot set", "loading the hot set"},
	{"mixed", "P95 of all", "everything at once at 1,000/s, P95"},
	{"mixed", "pages from the cache", "pages from the cache meanwhile"},
	{"availability", "feeds without a 2xx", "feeds that failed while servers are killed, frozen and slowed"},
}

// headlineScale is the world of the short table.
const headlineScale = "reference"

// notMeasured stands where there is no report.
const notMeasured = "not measured"

// Headlines is the short table of the main figures, in Markdown, and what they were measured on.
func Headlines(reports []*harness.Report) string {
	var b strings.Builder
	b.WriteString("| | measured | aim | | `feedrank bench` |\n|---|---|---|---|---|\n")
	used := map[string]*harness.Report{}
	for _, h := range headlines {
		measured, aim, verdict := notMeasured, "", ""
		i := slices.IndexFunc(reports, func(r *harness.Report) bool {
			return r.Bench == h.bench &&
				r.World.Scale == headlineScale
		})
		if i >= 0 {
			for _, f := range reports[i].Figures {
				if strings.HasPrefix(strings.TrimSpace(f.Name), h.figure) {
					measured, aim, verdict = amount(f), f.Bound(cmp.Or(f.Aim, f.Required)), f.Verdict()
					used[h.bench] = reports[i]
					break
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` |\n", h.label, measured, aim, verdict, h.bench)
	}
	if len(used) == 0 {
		return b.String()
	}
	b.WriteString("\nMeasured at scale " + headlineScale + ":\n\n")
	for _, name := range sortedBenches(used) {
		fmt.Fprintf(&b, "- `%s` on %s\n", name, origin(used[name], "\n  "))
	}
	return b.String()
}

// Figures is a section for each bench, with all figures of its reports.
func Figures(reports []*harness.Report) string {
	var b strings.Builder
	for _, bench := range All() {
		fmt.Fprintf(&b, "### %s\n\n%s.\n", bench.Name, capital(bench.Says))
		of := slices.DeleteFunc(slices.Clone(reports), func(r *harness.Report) bool { return r.Bench != bench.Name })
		slices.SortFunc(of, func(a, b *harness.Report) int {
			return cmp.Or(cmp.Compare(a.World.Events, b.World.Events), cmp.Compare(a.World.Scale, b.World.Scale))
		})
		for _, r := range of {
			fmt.Fprintf(&b, "\nScale %s, on %s.\n\n| figure | measured | required | aim | |\n|---|---|---|---|---|\n",
				r.World.Scale, origin(r, "\n"))
			for _, f := range r.Figures {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", label(f), amount(f), f.Bound(f.Required),
					f.Bound(f.Aim), f.Verdict())
			}
		}
		if len(of) == 0 {
			fmt.Fprintf(&b, "\n%s.\n", capital(notMeasured))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ReplaceFigures puts a table between the markers of a name in a Markdown text.
func ReplaceFigures(text, name, table string) (string, error) {
	before, rest, found := strings.Cut(text, "<!-- figures: "+name+" -->\n")
	_, after, ended := strings.Cut(rest, "<!-- /figures -->")
	if !found || !ended {
		return "", fmt.Errorf("no <!-- figures: %s --> … <!-- /figures -->", name)
	}
	return before + "<!-- figures: " + name + " -->\n" + table + "<!-- /figures -->" + after, nil
}

// origin says when a report was made, with what, and on which machine, in two lines.
func origin(r *harness.Report, newline string) string {
	return fmt.Sprintf("%s, feedrank %s,%s%s, %d cores, %s GiB, load %s before",
		r.At.Format("2006-01-02"), cmp.Or(r.Versions["feedrank"], "unknown"), newline,
		r.Machine.CPU, r.Machine.Cores, harness.Short(r.Machine.MemoryGiB), cmp.Or(r.Machine.Load, "unknown"))
}

func amount(f *harness.Figure) string {
	return strings.TrimSpace(harness.Short(f.Measured) + " " + f.Unit)
}

// label keeps the indentation of a part, which Markdown drops.
func label(f *harness.Figure) string {
	name := strings.TrimLeft(f.Name, " ")
	indent := strings.Repeat("&nbsp;", len(f.Name)-len(name))
	label := indent + name
	if f.Note != "" {
		label += " (" + f.Note + ")"
	}
	return strings.ReplaceAll(label, "|", `\|`)
}

func sortedBenches(of map[string]*harness.Report) (names []string) {
	for _, bench := range All() {
		if of[bench.Name] != nil {
			names = append(names, bench.Name)
		}
	}
	return names
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
