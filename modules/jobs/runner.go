package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Runner competes for the lead, and runs the jobs while it has it. Any number of replicas may have
// one with the same jobs.
type Runner struct {
	cfg      Config
	postgres postgres.Config
	history  *History
	jobs     []Job
	holder   string
	clock    core.Clock
	log      *zap.Logger
	metrics  *metrics
	workers  *worker.Group

	mu      sync.Mutex
	running map[string]bool // by job, whatever lead it was begun under: a job never overlaps with itself here
}

// Params are what a Runner needs.
type Params struct {
	Config     Config
	Jobs       []Job
	Postgres   postgres.Config // for the lead's own connection
	Pool       *pgxpool.Pool   // for the history
	Clock      core.Clock
	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// NewRunner makes a runner. Start starts it.
func NewRunner(p Params) (*Runner, error) {
	var names []string
	for i := range p.Jobs {
		if err := p.Jobs[i].check(); err != nil {
			return nil, err
		}
		if slices.Contains(names, p.Jobs[i].Name) {
			return nil, fmt.Errorf("two jobs are named %s", p.Jobs[i].Name)
		}
		names = append(names, p.Jobs[i].Name)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return &Runner{
		cfg: p.Config, postgres: p.Postgres, history: NewHistory(p.Pool, p.Config.History), jobs: p.Jobs,
		holder: fmt.Sprintf("%s, process %d", host, os.Getpid()), clock: p.Clock, log: p.Log.Named("jobs"),
		metrics: newMetrics(p.Registerer), workers: worker.NewGroup(nil), running: make(map[string]bool, len(p.Jobs)),
	}, nil
}

// Start begins to compete, in the background. PostgreSQL need not be there.
func (r *Runner) Start(context.Context) error {
	r.workers.Go("jobs", r.loop)
	return nil
}

// Stop cancels the runs, waits for them, and then gives the lead back.
func (r *Runner) Stop(ctx context.Context) error { return r.workers.Stop(ctx) }

// loop competes and leads until it is stopped, whatever happens to PostgreSQL.
func (r *Runner) loop(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		led, err := r.session(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // stopped: whatever the session says of it
		case led:
			r.log.Warn("lost the lead; it competes again", zap.Error(err))
		case !failing:
			r.log.Warn("cannot compete for the lead; it goes on trying", zap.Error(err))
		}
		failing = !led
		_ = worker.Pause(ctx, r.cfg.Beat)
	}
	return nil
}

// session competes on one connection and leads until it ends.
func (r *Runner) session(ctx context.Context) (led bool, err error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, hangUp(conn)) }()
	l, err := r.compete(ctx, conn)
	if err != nil {
		return false, err
	}
	ago, err := l.settle(ctx, r.jobs)
	if err != nil {
		return false, err
	}
	r.log.Info("leads", zap.Int64("lead", l.number))
	r.metrics.leads.Inc()
	r.metrics.leader.Set(1)
	defer r.metrics.leader.Set(0)
	return true, r.lead(ctx, l, ago)
}

// lead runs what is due until the lead or ctx ends. A lost lead cancels the runs at once and does not
// wait for them; a stop waits, and keeps the lead meanwhile, so that nobody else begins beside them.
func (r *Runner) lead(ctx context.Context, l *lead, ago map[string]time.Duration) error {
	runs, cancel := context.WithCancelCause(ctx)
	var begun sync.WaitGroup
	defer func() {
		cancel(ErrLeadLost)
		if ctx.Err() != nil {
			l.keepWhile(&begun, r.cfg.Beat)
		}
	}()
	next := r.schedule(ago)
	ticker := time.NewTicker(r.cfg.Beat)
	defer ticker.Stop()
	for {
		wanted, err := l.beat(ctx)
		if err != nil {
			return err
		}
		r.dispatch(wanted, next, func(j Job, cause string) {
			begun.Add(1)
			r.workers.Go("job "+j.Name, func(context.Context) error {
				defer begun.Done()
				defer r.release(j.Name)
				r.run(runs, &j, l.number, cause)
				return nil
			})
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// schedule says when each job is due: a new leader goes on where the one before it was.
func (r *Runner) schedule(ago map[string]time.Duration) []time.Time {
	now := r.clock.Now()
	next := make([]time.Time, len(r.jobs))
	for i, j := range r.jobs {
		if since, ran := ago[j.Name]; ran {
			next[i] = now.Add(j.wait() - since)
		}
	}
	return next
}

// dispatch begins what is due or wanted, but never a job whose last run still goes on.
func (r *Runner) dispatch(wanted []string, next []time.Time, begin func(Job, string)) {
	now := r.clock.Now()
	for i, j := range r.jobs {
		due, asked := !now.Before(next[i]), slices.Contains(wanted, j.Name)
		if due {
			next[i] = now.Add(j.wait())
		}
		if !due && !asked {
			continue
		}
		if !r.claim(j.Name) { // a request stands until a run has begun after it
			if due {
				r.metrics.skipped.WithLabelValues(j.Name).Inc()
			}
			continue
		}
		cause := bySchedule
		if asked {
			cause = byRequest
		}
		begin(j, cause)
	}
}

// keepWhile keeps the session alive until the runs have ended. The caller's stop bounds it.
func (l *lead) keepWhile(runs *sync.WaitGroup, every time.Duration) {
	done := make(chan struct{})
	go func() {
		runs.Wait()
		close(done)
	}()
	for {
		timer := time.NewTimer(every)
		select {
		case <-done:
			timer.Stop()
			return
		case <-timer.C:
			if _, err := l.beat(context.Background()); err != nil {
				<-done // the lead is gone; the fence holds off what these still do
				return
			}
		}
	}
}

// wait is the time from one start to the next.
func (j *Job) wait() time.Duration {
	spread := float64(j.Every) * float64(j.Jitter) / 100
	return j.Every + time.Duration(spread*(2*rand.Float64()-1))
}

func (r *Runner) claim(job string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running[job] {
		return false
	}
	r.running[job] = true
	return true
}

func (r *Runner) release(job string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, job)
}
