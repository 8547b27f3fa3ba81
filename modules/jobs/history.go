package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/sql"
)

// History is what our schema in PostgreSQL knows of the jobs. Every replica can read it and ask for
// runs, whether or not it runs jobs.
type History struct {
	pool *pgxpool.Pool
	keep int
}

// NewHistory keeps so many runs of each job.
func NewHistory(pool *pgxpool.Pool, keep int) *History { return &History{pool: pool, keep: keep} }

// Run is one run of a job.
type Run struct {
	ID         int64      `json:"id,string"`
	Lead       int64      `json:"lead"`
	Cause      string     `json:"cause"` // schedule or request
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Outcome    Outcome    `json:"outcome"`
	Detail     string     `json:"detail,omitempty"`
}

// Entry is a job as operators see it.
type Entry struct {
	Name        string     `json:"name"`
	EveryMS     int64      `json:"every_ms"`
	TimeoutMS   int64      `json:"timeout_ms"`
	RequestedAt *time.Time `json:"requested_at,omitempty"` // a run is wanted that has not begun
	Runs        []Run      `json:"runs"`                   // latest first
}

// Leader is who took the lead last.
type Leader struct {
	Number  int64     `json:"number"`
	Holder  string    `json:"holder"`
	TakenAt time.Time `json:"taken_at"`
	Alive   bool      `json:"alive"` // somebody holds the lock now
}

// ErrUnknownJob says that no leader had a job of that name.
var ErrUnknownJob = errors.New("there is no such job")

func (h *History) begin(ctx context.Context, lead int64, job, cause string) (int64, error) {
	var id int64
	err := h.pool.QueryRow(ctx, sql.Postgres("jobs_begin"), leadName, lead, job, cause).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrLeadLost
	}
	if err != nil {
		return 0, fmt.Errorf("begin a run: %w", err)
	}
	return id, nil
}

func (h *History) end(ctx context.Context, job string, id int64, outcome Outcome, detail string) error {
	if _, err := h.pool.Exec(ctx, sql.Postgres("jobs_end"), id, job, outcome, detail, h.keep); err != nil {
		return fmt.Errorf("end a run: %w", err)
	}
	return nil
}

// Request asks the leader for a run now; it begins within a beat, or after the run that is going on.
func (h *History) Request(ctx context.Context, job string) (time.Time, error) {
	var at time.Time
	err := h.pool.QueryRow(ctx, sql.Postgres("jobs_request"), job).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, ErrUnknownJob
	}
	if err != nil {
		return at, fmt.Errorf("request a run: %w", err)
	}
	return at, nil
}

// Leader is who leads; the zero Leader before anybody ever did.
func (h *History) Leader(ctx context.Context) (Leader, error) {
	var l Leader
	err := h.pool.QueryRow(ctx, sql.Postgres("jobs_leader"), leadName, lockName).Scan(&l.Number, &l.Holder, &l.TakenAt,
		&l.Alive)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return l, fmt.Errorf("leader of the jobs: %w", err)
	}
	return l, nil
}

// List is every job with its last runs.
func (h *History) List(ctx context.Context, runs int) ([]Entry, error) {
	rows, err := h.pool.Query(ctx, sql.Postgres("jobs_list"))
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Entry, error) {
		var every, timeout float64
		e := Entry{Runs: []Run{}}
		err := row.Scan(&e.Name, &every, &timeout, &e.RequestedAt)
		e.EveryMS, e.TimeoutMS = int64(every*1000), int64(timeout*1000)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	byName := make(map[string]*Entry, len(entries))
	for i := range entries {
		byName[entries[i].Name] = &entries[i]
	}
	if rows, err = h.pool.Query(ctx, sql.Postgres("jobs_runs"), runs); err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	var (
		name string
		r    Run
	)
	_, err = pgx.ForEachRow(rows, []any{
		&name, &r.ID, &r.Lead, &r.Cause, &r.StartedAt, &r.FinishedAt, &r.Outcome,
		&r.Detail,
	}, func() error {
		if e := byName[name]; e != nil {
			e.Runs = append(e.Runs, r)
		}
		r.FinishedAt = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	return entries, nil
}
