package adminlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
	"github.com/feedrank/feedrank/modules/platform/httpserver/textcheck"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

const (
	maxWaiting   = 1000
	writeTimeout = 2 * time.Second
	retryEvery   = 2 * time.Second
	maxState     = 16 << 10 // bytes of what was before, and of what is after
)

// Log keeps actions. It is safe for concurrent use.
type Log struct {
	pool    *pgxpool.Pool
	log     *zap.Logger
	workers *worker.Group
	written *prometheus.CounterVec
	waits   prometheus.Gauge

	writing sync.Mutex // held while what waits is written, so that the order stays
	mu      sync.Mutex
	waiting []row
}

var _ httpserver.Recorder = (*Log)(nil)

// row is an action as it is stored.
type row struct {
	httpserver.Action
	before, after []byte
}

// New makes a log; Start begins to write what waits.
func New(pool *pgxpool.Pool, reg prometheus.Registerer, log *zap.Logger) *Log {
	l := &Log{
		pool: pool, log: log, workers: worker.NewGroup(nil),
		written: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feedrank_admin_actions_total",
			Help: "What operators changed, by kind, once it is in feedrank.admin_actions.",
		}, []string{"what"}),
		waits: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feedrank_admin_actions_waiting",
			Help: "What operators changed and PostgreSQL does not have yet, because it is away. Calls that change something are refused at 1000.",
		}),
	}
	reg.MustRegister(l.written, l.waits)
	return l
}

// Start begins to write what waits.
func (l *Log) Start(context.Context) error {
	l.workers.Go("write what operators did", func(ctx context.Context) error {
		ticker := time.NewTicker(retryEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
				l.flush(ctx)
			}
		}
	})
	return nil
}

// Stop writes what still waits, if it can.
func (l *Log) Stop(ctx context.Context) error {
	err := l.workers.Stop(ctx)
	l.flush(ctx)
	if left := l.count(); left > 0 {
		l.log.Error("what operators did is in the log alone: PostgreSQL did not take it", zap.Int("actions", left))
	}
	return err
}

// Ready refuses where there is no room for another action.
func (l *Log) Ready() error {
	if l.count() < maxWaiting {
		return nil
	}
	return core.Unavailable("the record of what operators do (PostgreSQL)", time.Second, nil)
}

func (l *Log) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// Record keeps an action: in PostgreSQL before it returns, or in memory until PostgreSQL is back.
func (l *Log) Record(ctx context.Context, a httpserver.Action) {
	r := rowOf(a)
	l.log.Info("an operator changed something", zap.String("who", a.Who), zap.String("what", a.What),
		zap.Int("status", a.Status), // not to what: that may be a person
		zap.String("request_id", a.RequestID), zap.String("from", a.Address))
	l.mu.Lock()
	l.waiting = append(l.waiting, r)
	l.waits.Set(float64(len(l.waiting)))
	l.mu.Unlock()
	l.flush(context.WithoutCancel(ctx))
	if l.count() > 0 { // only then is more of it in the log, which is all that a killed process leaves
		l.log.Warn("what an operator changed is in the log alone until PostgreSQL takes it", zap.String("what", a.What),
			zap.String("target", a.Target), zap.ByteString("before", r.before), zap.ByteString("after", r.after),
			zap.String("request_id", a.RequestID))
	}
}

// Write keeps an action in PostgreSQL, or says why it is not there: for who does not stay to try again.
func Write(ctx context.Context, pool *pgxpool.Pool, a httpserver.Action) error {
	return insert(ctx, pool, rowOf(a))
}

// rowOf is an action as it is stored. What PostgreSQL refuses as text would keep all that comes later from being
// written.
func rowOf(a httpserver.Action) row {
	a.Who, a.Target, a.RequestID, a.Address = textcheck.AsText(a.Who), textcheck.AsText(a.Target),
		textcheck.AsText(a.RequestID), textcheck.AsText(a.Address)
	return row{Action: a, before: state(a.Before), after: state(a.After)}
}

// flush writes what waits, the oldest first, until one cannot be written.
func (l *Log) flush(ctx context.Context) {
	l.writing.Lock()
	defer l.writing.Unlock()
	for l.count() > 0 {
		l.mu.Lock()
		next := l.waiting[0]
		l.mu.Unlock()
		if err := insert(ctx, l.pool, next); err != nil {
			if ctx.Err() == nil {
				l.log.Warn("cannot record what an operator did yet", zap.Error(err))
			}
			return
		}
		l.written.WithLabelValues(next.What).Inc()
		l.mu.Lock()
		l.waiting = l.waiting[1:]
		l.waits.Set(float64(len(l.waiting)))
		l.mu.Unlock()
	}
}

func insert(ctx context.Context, pool *pgxpool.Pool, r row) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	_, err := pool.Exec(ctx, sql.Postgres("admin_action_insert"),
		r.At, r.Who, r.What, r.Target, r.before, r.after, r.Status, r.RequestID, r.Address)
	if err != nil {
		return fmt.Errorf("record an action: %w", err)
	}
	return nil
}

// state is a value as JSON; of one that is too large, only that it is.
func state(value any) []byte {
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	switch {
	case err != nil:
		text, _ = json.Marshal(map[string]string{"unreadable": err.Error()})
	case !textcheck.IsJSONText(text):
		text, _ = json.Marshal(map[string]string{"unreadable": "it holds a NUL"})
	case len(text) > maxState:
		text, _ = json.Marshal(map[string]int{"too_large": len(text)})
	}
	return text
}

// Wanted says which actions are asked for; what is zero is not.
type Wanted struct {
	Who, What    string
	Since, Until *time.Time
	After        int64 // an id that was listed: those that follow it in this order
	Oldest       bool  // first; else the latest are
	Limit        int
}

// Entry is an action as it is listed.
type Entry struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Who       string          `json:"who"`
	What      string          `json:"what"`
	Target    string          `json:"target"`
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
	Status    int             `json:"status"`
	RequestID string          `json:"request_id"`
	Address   string          `json:"address"`
}

// List gives actions, and after which id there are more; 0: there are none.
func (l *Log) List(ctx context.Context, w Wanted) ([]Entry, int64, error) {
	query := "admin_actions"
	if w.Oldest {
		query = "admin_actions_oldest"
	}
	rows, err := l.pool.Query(ctx, sql.Postgres(query), w.Who, w.What, w.Since, w.Until, w.After, w.Limit+1)
	if err != nil {
		return nil, 0, err
	}
	entries := []Entry{}
	var last, id, more int64
	var e Entry
	_, err = pgx.ForEachRow(rows, []any{
		&id, &e.At, &e.Who, &e.What, &e.Target, &e.Before, &e.After, &e.Status,
		&e.RequestID, &e.Address,
	}, func() error {
		if len(entries) == w.Limit {
			more = last
			return nil
		}
		last = id
		next := e
		next.ID, next.At = fmt.Sprint(id), e.At.UTC()
		entries = append(entries, next)
		e.Before, e.After = nil, nil
		return nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = core.Unavailable("PostgreSQL", time.Second, err)
	}
	return entries, more, err
}
