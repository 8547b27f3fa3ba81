package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Bench is one measurement. Run puts load on the program and states what it found with Figure.
type Bench struct {
	Name    string
	Says    string // what it measures, in a line
	AnyKeys bool   // it can measure a world of UUIDs, too
	Run     func(ctx context.Context, on *Environment) error
}

// Server is one of the servers beside the program.
type Server interface {
	Name() string
	PID() int // 0: it does not run here
	Kill() error
	Start(ctx context.Context) error
	Freeze() error // it keeps its connections and answers nobody
	Thaw() error
}

// World is what the servers hold.
type World struct {
	Scale   string       `json:"scale"`
	Keys    core.KeyForm `json:"keys,omitempty"` // of its users and posts; empty: integers
	Users   int          `json:"users"`          // they count from 1
	Posts   int          `json:"posts"`          // likewise
	Events  int          `json:"events"`
	Now     time.Time    `json:"now"`     // when it ends
	Seconds float64      `json:"seconds"` // what it took to make
}

// Keys tells how the app calls the nth user and post of the world.
type Keys interface {
	User(n core.ID) core.Key
	Post(n core.ID) core.Key
}

// Target is what a bench measures: the program, and the servers and the world beside it.
type Target struct {
	World      World
	Servers    []Server
	Postgres   *pgxpool.Pool
	ClickHouse *clickhouse.Client
	Redis      *redis.Client
	Kafka      kafka.Config
	Keys       Keys
	Token      func(user core.ID) (string, error)
	// Feedrank makes a command of this program with the given arguments, whose settings point at the
	// servers.
	Feedrank func(args ...string) *exec.Cmd
	Logs     string // a folder for what the processes print
	Out      io.Writer
	Version  string
	// For and Rate go over what a bench has by default; 0 leaves it.
	For      time.Duration
	Rate     float64
	Profiles string // a folder for profiles of the program's processor time in each phase; empty: none
}

// Environment is where a bench runs: its target, the processes it started, and what it has found so far.
type Environment struct {
	Target
	File      string // the configuration file of every program that is started; empty: none
	report    *Report
	processes []process
	programs  []*Program
	stops     []func() error
}

// NewEnvironment is one in which nothing was started and nothing found.
func NewEnvironment(b Bench, target Target) *Environment {
	on := &Environment{Target: target, report: newReport(b, target)}
	for _, s := range target.Servers {
		on.processes = append(on.processes, process{name: s.Name(), pid: s.PID})
	}
	on.processes = append(on.processes, generator())
	return on
}

// Measure runs a bench and reports what it found. Whatever it started has ended when it returns.
func Measure(ctx context.Context, b Bench, target Target) (_ *Report, err error) {
	on := NewEnvironment(b, target)
	defer func() {
		for _, stop := range slices.Backward(on.stops) {
			err = errors.Join(err, stop())
		}
	}()
	on.report.askVersions(ctx, target)
	began := time.Now()
	if err := b.Run(ctx, on); err != nil {
		return nil, fmt.Errorf("bench %s: %w", b.Name, err)
	}
	on.report.Seconds = time.Since(began).Seconds()
	return on.report, nil
}

// Report is what was found so far.
func (on *Environment) Report() *Report { return on.report }

// Add adds what a load found to the report.
func (on *Environment) Add(p *Phase) { on.report.Phases = append(on.report.Phases, p) }

// LastPhase is what was added last.
func (on *Environment) LastPhase() *Phase { return on.report.Phases[len(on.report.Phases)-1] }

// OnEnd has something done when the bench has ended, the last first.
func (on *Environment) OnEnd(do func() error) { on.stops = append(on.stops, do) }

// Tell writes a line of progress.
func (on *Environment) Tell(format string, args ...any) {
	_, _ = fmt.Fprintf(on.Out, "  "+format+"\n", args...) // progress that cannot be shown is no reason to stop
}

// Lasting is how long a phase takes: what was asked for, else usual.
func (on *Environment) Lasting(usual time.Duration) time.Duration {
	if on.For > 0 {
		return on.For
	}
	return usual
}

// At is the rate of a phase: what was asked for, else usual.
func (on *Environment) At(usual float64) float64 {
	if on.Rate > 0 {
		return on.Rate
	}
	return usual
}
