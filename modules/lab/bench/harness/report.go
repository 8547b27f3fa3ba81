package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a bench found, and on what.
type Report struct {
	Bench    string            `json:"bench"`
	Says     string            `json:"says"`
	At       time.Time         `json:"at"`
	Seconds  float64           `json:"seconds"`
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"`
	World    World             `json:"world"`
	Figures  []*Figure         `json:"figures"`
	Phases   []*Phase          `json:"phases"`
	Lines    []string          `json:"lines,omitempty"`  // printed last, one for each part of what was found
	Broken   []string          `json:"broken,omitempty"` // promises that must hold whatever the machine: the bench fails
}

// Say adds a line that is printed last.
func (on *Environment) Say(format string, args ...any) {
	on.report.Lines = append(on.report.Lines, fmt.Sprintf(format, args...))
}

// Broken says that a promise was broken.
func (on *Environment) Broken(format string, args ...any) {
	on.report.Broken = append(on.report.Broken, fmt.Sprintf(format, args...))
}

// Err is about the promises that were broken.
func (r *Report) Err() error {
	if len(r.Broken) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", r.Bench, strings.Join(r.Broken, "; "))
}

func newReport(b Bench, target Target) *Report {
	return &Report{
		Bench: b.Name, Says: b.Says, At: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(),
		World: target.World,
	}
}

// Save writes the report as JSON.
func (r *Report) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// Print writes the figures as a table, and under it each phase.
func (r *Report) Print(out io.Writer) error {
	t := table{w: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.line("\n%s at scale %s\trequired\taim\tmeasured\t\t", r.Bench, r.World.Scale)
	for _, f := range r.Figures {
		t.line("%s\t%s\t%s\t%s %s\t%s\t%s", f.Name, f.Bound(f.Required), f.Bound(f.Aim), Short(f.Measured), f.Unit,
			f.Verdict(), f.Note)
	}
	t.line("")
	t.flush()
	t.line("\trequests\t/s\tP50 ms\tP95\tP99\tP99.9\tmax\tcores: %s", "by process")
	for _, p := range r.Phases {
		for _, kind := range slices.Sorted(maps.Keys(p.Latency)) {
			l, name := p.Latency[kind], p.Name
			if kind != All {
				name = "  " + kind
			} else if len(p.Latency) > 1 {
				name += " (all)"
			}
			t.line("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s", name, l.Count, Short(float64(l.Count)/p.Seconds),
				Short(l.P50), Short(l.P95), Short(l.P99), Short(l.P999), Short(l.Max), p.uses(kind))
		}
	}
	t.line("")
	t.flush()
	for _, p := range r.Phases {
		if len(p.Labels) > 0 || len(p.Errors) > 0 {
			t.line("%s: %v, errors %v", p.Name, counts(p.Labels), counts(p.Errors))
		}
	}
	t.line("%s, %d cores, %s GiB; load average %s before; %s", r.Machine.CPU, r.Machine.Cores,
		Short(r.Machine.MemoryGiB), r.Machine.Load, r.versions())
	for _, line := range r.Lines {
		t.line("%s", line)
	}
	t.flush()
	return t.failed
}

func (p *Phase) uses(kind string) string {
	if kind != All {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(p.Usage),
		func(a, b string) int { return cmp.Compare(p.Usage[b].CPUSeconds, p.Usage[a].CPUSeconds) })
	var parts []string
	for _, name := range names {
		if u := p.Usage[name]; u.Cores >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.2f (%d MB)", name, u.Cores, u.MemoryBytes>>20))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *Report) versions() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		parts = append(parts, name+" "+r.Versions[name])
	}
	return strings.Join(parts, ", ")
}

func counts(of map[string]int64) string {
	if len(of) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, of[name]))
	}
	return strings.Join(parts, ", ")
}

// table remembers the first write that failed.
type table struct {
	w      *tabwriter.Writer
	failed error
}

func (t *table) line(format string, args ...any) {
	_, err := fmt.Fprintf(t.w, format+"\n", args...)
	t.failed = errors.Join(t.failed, err)
}

func (t *table) flush() { t.failed = errors.Join(t.failed, t.w.Flush()) }

func (r *Report) askVersions(ctx context.Context, target Target) {
	r.Versions = map[string]string{"feedrank": target.Version}
	maps.Copy(r.Versions, builtWith())
	var version string
	if target.Postgres != nil && target.Postgres.QueryRow(ctx, "SHOW server_version").Scan(&version) == nil {
		r.Versions["PostgreSQL"] = version
	}
	if target.ClickHouse != nil {
		if version, err := askString(ctx, target.ClickHouse, "SELECT version() AS version"); err == nil {
			r.Versions["ClickHouse"] = version
		}
	}
}
