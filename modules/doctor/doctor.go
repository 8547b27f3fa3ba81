package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Level is how urgent a finding is.
type Level uint8

// The levels.
const (
	Broken Level = iota // something does not work now, or is being lost
	Risk                // it will when something happens that does happen: a restart, a full disk, a lost server
	Advice              // it works, and would work better
)

// String is the level's name.
func (l Level) String() string { return [...]string{"broken", "risk", "advice"}[l] }

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is something to fix.
type Finding struct {
	Level Level  `json:"level"`
	Area  string `json:"area"` // a server, or "feedrank"
	Says  string `json:"says"` // what was seen
	Do    string `json:"do"`   // what to do about it
}

// Check looks at one thing.
type Check struct {
	Area  string
	Looks string // at what, for the report
	Run   func(ctx context.Context) ([]Finding, error)
}

// Report is what was found.
type Report struct {
	At        time.Time `json:"at"`
	Version   string    `json:"version"` // of this program
	Findings  []Finding `json:"findings"`
	Looked    []string  `json:"looked"`
	NotLooked []string  `json:"not_looked"` // with the reason
}

// Well tells whether nothing is broken or at risk.
func (r Report) Well() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Level != Advice })
}

// Limits are from where on we speak of what grows.
type Limits struct {
	LongOpen              time.Duration // a transaction of PostgreSQL
	Retained              int64         // bytes of log that a replication slot holds back
	FullDisk, FullestDisk float64       // share of a disk of ClickHouse that is used: a risk, and broken
	Parts                 int           // of one partition of ClickHouse, which refuses inserts at 3,000
}

// DefaultLimits leave an operator a day or so.
func DefaultLimits() Limits {
	return Limits{LongOpen: 15 * time.Minute, Retained: 4 << 30, FullDisk: 0.85, FullestDisk: 0.95, Parts: 300}
}

// ErrNotAllowed is returned by a check that the server does not let us make.
var ErrNotAllowed = errors.New("we may not ask")

// oneCheck bounds each check: a server that hangs is a finding.
const oneCheck = 15 * time.Second

// Examine makes the checks one after the other. The first one of an area tells whether the server answers: when that
// fails, the others of the area are left out.
func Examine(ctx context.Context, clock core.Clock, version string, checks []Check) Report {
	r := Report{
		At: clock.Now().UTC(), Version: version, Findings: []Finding{}, Looked: []string{},
		NotLooked: []string{},
	}
	reached, away := map[string]bool{}, map[string]bool{}
	for _, c := range checks {
		name := c.Area + ": " + c.Looks
		if away[c.Area] {
			r.NotLooked = append(r.NotLooked, name+" (no answer)")
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, oneCheck)
		found, err := c.Run(bounded)
		cancel()
		r.Findings = append(r.Findings, found...)
		switch {
		case errors.Is(err, ErrNotAllowed):
			r.NotLooked = append(r.NotLooked, fmt.Sprintf("%s (%v)", name, err))
		case err != nil && !reached[c.Area]:
			away[c.Area] = true
			r.Findings = append(r.Findings, Finding{
				Broken, c.Area, "does not answer: " + err.Error(),
				"start it, or mend its address, user or TLS in the configuration; nothing else of it could be looked at",
			})
		case err != nil:
			r.Findings = append(r.Findings, Finding{
				Broken, c.Area, c.Looks + " cannot be looked at: " + err.Error(),
				"see the error",
			})
		default:
			r.Looked = append(r.Looked, name)
		}
		reached[c.Area] = true
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Level, b.Level) })
	return r
}

// skewed is how far two clocks may be apart: windows of time and tokens are cut at seconds.
const skewed = time.Second

// clockFindings compares a server's clock with ours, which is asked before and after.
func clockFindings(area string, before, server, after time.Time) []Finding {
	apart := max(before.Sub(server), server.Sub(after))
	if apart <= skewed {
		return nil
	}
	return []Finding{{
		Risk, area, fmt.Sprintf("its clock and the one here are %s apart", apart.Round(time.Millisecond)),
		"run NTP on both machines: an event's age, a token's end and a post's freshness are told by them",
	}}
}
