package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

// leadName is the one lead there is; lockName the lock that stands for it.
const (
	leadName = "jobs"
	lockName = "feedrank:jobs"
)

// lead is the right to run jobs, for as long as its session lives.
type lead struct {
	conn    *pgx.Conn
	number  int64
	timeout time.Duration // of one statement
}

// connect opens the session that may become the lead's. PostgreSQL ends it when it is not heard of.
func (r *Runner) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(r.postgres.DSN)
	if err != nil {
		return nil, errors.New("postgres.dsn does not parse") // the library's error may quote the password
	}
	config.ConnectTimeout = r.postgres.DialTimeout
	config.RuntimeParams["application_name"] = "feedrank jobs"
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["idle_session_timeout"] = millis(r.cfg.LeadTimeout)
	config.RuntimeParams["statement_timeout"] = millis(r.cfg.beatTimeout())
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, postgres.Explained(fmt.Errorf("postgres connect: %w", err))
	}
	return conn, nil
}

// compete waits for the lead, which it takes as soon as nobody has it.
func (r *Runner) compete(ctx context.Context, conn *pgx.Conn) (*lead, error) {
	l := &lead{conn: conn, timeout: r.cfg.beatTimeout()}
	for {
		var taken bool
		if err := l.ask(ctx, sql.Postgres("jobs_try_lead"), []any{lockName}, &taken); err != nil {
			return nil, fmt.Errorf("try for the lead: %w", err)
		}
		if taken {
			break
		}
		// A little less or more than a beat: replicas that started together do not try together.
		if worker.Pause(ctx, time.Duration(float64(r.cfg.Beat)*(0.8+0.4*rand.Float64()))) != nil {
			return nil, ctx.Err()
		}
	}
	if err := l.ask(ctx, sql.Postgres("jobs_take_lead"), []any{leadName, r.holder}, &l.number); err != nil {
		return nil, fmt.Errorf("take the lead: %w", err)
	}
	return l, nil
}

// settle tells our schema of the jobs, and finds out how long ago each began last.
func (l *lead) settle(ctx context.Context, jobs []Job) (map[string]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	batch := &pgx.Batch{}
	for _, j := range jobs {
		batch.Queue(sql.Postgres("jobs_register"), j.Name, j.Every, j.Timeout, l.number)
	}
	batch.Queue(sql.Postgres("jobs_retire"), l.number)
	if err := l.conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("register the jobs: %w", err)
	}
	rows, err := l.conn.Query(ctx, sql.Postgres("jobs_last_starts"))
	if err != nil {
		return nil, fmt.Errorf("last runs: %w", err)
	}
	ago := make(map[string]time.Duration, len(jobs))
	var (
		name    string
		seconds float64
	)
	_, err = pgx.ForEachRow(rows, []any{&name, &seconds}, func() error {
		ago[name] = time.Duration(seconds * float64(time.Second))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("last runs: %w", err)
	}
	return ago, nil
}

// beat makes sure of the lead, keeps its session alive, and tells which jobs are wanted now.
func (l *lead) beat(ctx context.Context) (wanted []string, err error) {
	err = l.ask(ctx, sql.Postgres("jobs_beat"), []any{leadName, l.number}, &wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("lead %d: %w", l.number, ErrLeadLost)
	}
	if err != nil {
		return nil, fmt.Errorf("lead %d: beat: %w", l.number, err)
	}
	return wanted, nil
}

func (l *lead) ask(ctx context.Context, query string, args []any, result any) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.conn.QueryRow(ctx, query, args...).Scan(result)
}

// hangUp closes a session, and with it gives the lead back.
func hangUp(conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return conn.Close(ctx)
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
