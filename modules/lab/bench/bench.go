package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Bench is one measurement. Run puts load on the program and states what it found with Figure.
type Bench struct {
	Name string
	Says string // what it measures, in a line
	Run  func(ctx context.Context, on *Stage) error
}

// All are the benches.
func All() []Bench {
	return []Bench{
		feedCached(), feedComputed(), trending(), suggestions(), mixed(), feedMixed(), freshness(), ingest(), cdc(),
		views(), memory(), quick(),
		availability(), overload(),
	}
}

// ErrUnknown is returned for a bench that is not one of All.
var ErrUnknown = errors.New("unknown bench")

// Find is the bench of a name.
func Find(name string) (Bench, error) {
	names := make([]string, 0, len(All()))
	for _, b := range All() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Bench{}, fmt.Errorf("%w %q: want one of %s", ErrUnknown, name, strings.Join(names, ", "))
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
	Scale   string    `json:"scale"`
	Users   int       `json:"users"` // their ids count from 1
	Posts   int       `json:"posts"` // likewise
	Events  int       `json:"events"`
	Now     time.Time `json:"now"`     // when it ends
	Seconds float64   `json:"seconds"` // what it took to make
}

// Env is what a bench runs on.
type Env struct {
	World      World
	Servers    []Server
	Postgres   *pgxpool.Pool
	ClickHouse *clickhouse.Client
	Redis      *redis.Client
	Kafka      kafka.Config
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

// Stage is where a bench runs: the environment, the processes it started, and what it has found so far.
type Stage struct {
	Env
	report    *Report
	processes []process
	programs  []*Program
	stops     []func() error
}

// Measure runs a bench and reports what it found. Whatever it started has ended when it returns.
func Measure(ctx context.Context, b Bench, env Env) (_ *Report, err error) {
	on := &Stage{Env: env, report: newReport(b, env)}
	defer func() {
		for _, stop := range slices.Backward(on.stops) {
			err = errors.Join(err, stop())
		}
	}()
	on.report.askVersions(ctx, env)
	for _, s := range env.Servers {
		on.processes = append(on.processes, process{name: s.Name(), pid: s.PID})
	}
	on.processes = append(on.processes, generator())
	began := time.Now()
	if err := b.Run(ctx, on); err != nil {
		return nil, fmt.Errorf("bench %s: %w", b.Name, err)
	}
	on.report.Seconds = time.Since(began).Seconds()
	return on.report, nil
}

// Tell writes a line of progress.
func (on *Stage) Tell(format string, args ...any) {
	_, _ = fmt.Fprintf(on.Out, "  "+format+"\n", args...) // progress that cannot be shown is no reason to stop
}

// lasting is how long a phase takes: what was asked for, else usual.
func (on *Stage) lasting(usual time.Duration) time.Duration {
	if on.For > 0 {
		return on.For
	}
	return usual
}

// at is the rate of a phase: what was asked for, else usual.
func (on *Stage) at(usual float64) float64 {
	if on.Rate > 0 {
		return on.Rate
	}
	return usual
}
