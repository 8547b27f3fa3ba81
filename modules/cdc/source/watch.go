package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// errReadAnew ends a session so that the next one reads tables that have become ready to be read.
var errReadAnew = errors.New("tables are to be read anew")

// waitCheck is how often tables that are to be read anew are looked at, while the log is followed to where
// they may be.
const waitCheck = 500 * time.Millisecond

// watch looks again and again whether the tables are still the ones that are followed, while the session follows
// the log. PostgreSQL publishes tables by their number: one that takes another's name is none of them.
func (s *Source) watch(ctx context.Context, db *pgx.Conn, followed []*table) error {
	names := tableNames(followed)
	w := &waiting{Source: s, writers: map[string][]string{}, until: map[string]string{}}
	var last time.Time
	for {
		if !core.Within(s.cfg.TableCheck, last, s.clock.Now()) {
			if err := s.watchOnce(ctx, db, names); err != nil {
				return err
			}
			last = s.clock.Now()
		}
		left, err := w.step(ctx, db)
		if err != nil {
			return err
		}
		pause := s.cfg.TableCheck - s.clock.Now().Sub(last)
		if left {
			pause = min(pause, waitCheck)
		}
		timer := time.NewTimer(min(max(pause, 0), s.cfg.TableCheck))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func (s *Source) watchOnce(ctx context.Context, db *pgx.Conn, names []string) error {
	found, err := s.reconcile(ctx, db)
	if err != nil {
		return err
	}
	now := tableNames(found.usable(s.tables))
	// one was taken out: it must not be read by what was known of it
	if !slices.Equal(names, now) && len(now) < len(names) {
		return errReadAnew
	}
	return s.watchPartitions(ctx, db, found)
}

// watchPartitions has the copy compared with its table when a partition was truncated, taken away or put in with
// its rows: the log of a table that is published as a whole does not tell of that.
func (s *Source) watchPartitions(ctx context.Context, db *pgx.Conn, found *survey) error {
	known, err := s.readSnapshots(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range found.usable(s.tables) {
		state, ok := known[t.fullName()]
		if !ok || !state.Done || t.relation.Kind != "p" {
			continue
		}
		now, unseen, err := partitions(ctx, db, t, state.Partitions)
		if err != nil {
			return fmt.Errorf("partitions of %s: %w", t.fullName(), err)
		}
		if now == state.Partitions {
			continue
		}
		if unseen {
			if err := s.compare(ctx, db, t.fullName()); err != nil {
				return err
			}
		}
		if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_partitions"), s.cfg.Slot, t.fullName(), now); err != nil {
			return fmt.Errorf("note the partitions of %s: %w", t.fullName(), err)
		}
	}
	return nil
}

// partitions describes a table's partitions, and tells whether rows came or went with them since they were described
// as before, which is empty the first time. A new partition without rows is nothing.
func partitions(ctx context.Context, db *pgx.Conn, t *table, before string) (now string, unseen bool, err error) {
	rows, err := db.Query(ctx, sql.Postgres("cdc_partitions"), t.relation.OID)
	if err != nil {
		return "", false, err
	}
	was := strings.Split(before, ",")
	var all []string
	var one string
	var filled bool
	_, err = pgx.ForEachRow(rows, []any{&one, &filled}, func() error {
		all = append(all, one)
		unseen = unseen || (filled && !slices.Contains(was, one))
		return nil
	})
	for _, one := range was {
		unseen = unseen || !slices.Contains(all, one)
	}
	return strings.Join(all, ","), unseen && before != "", err
}

// compare asks the job for a comparison.
func (s *Source) compare(ctx context.Context, db *pgx.Conn, name string) error {
	s.metrics.partitions.WithLabelValues(name).Inc()
	var at time.Time
	err := db.QueryRow(ctx, sql.Postgres("jobs_request"), "resync").Scan(&at)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		s.log.Error("partitions were truncated, removed or added: their rows are not in the log; run `feedrank resync`",
			zap.String("table", name))
		return nil
	case err != nil:
		return fmt.Errorf("ask for a comparison of %s: %w", name, err)
	}
	s.log.Warn("partitions were truncated, removed or added: their rows are not in the log; a comparison was asked for",
		zap.String("table", name))
	return nil
}

// waiting are tables that are to be read anew. Before that, (1) every transaction must have ended that wrote to the
// table when it was published, for its changes may not be in the log, and (2) the log must have been followed beyond
// the end of the last of them: what it brings after the reading is then younger than what is read.
type waiting struct {
	*Source
	writers map[string][]string // the transactions of (1); a table that is not in it was not looked at
	until   map[string]string   // the position of (2)
}

// step moves on, and tells whether tables wait still. It ends the session when none does.
func (w *waiting) step(ctx context.Context, db *pgx.Conn) (left bool, err error) {
	known, err := w.readSnapshots(ctx, db)
	if err != nil {
		return false, err
	}
	var ready []string
	for _, t := range w.tables {
		state, ok := known[t.Name]
		if !ok || !state.Waits {
			continue
		}
		done, err := w.passed(ctx, db, t.Name, state)
		if err != nil {
			return false, err
		}
		left = true
		if done {
			ready = append(ready, t.Name)
		}
	}
	if len(ready) == 0 {
		return left, nil
	}
	if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_ready"), w.cfg.Slot, ready); err != nil {
		return false, fmt.Errorf("tables that are ready to be read: %w", err)
	}
	return false, errReadAnew
}

func (w *waiting) passed(ctx context.Context, db *pgx.Conn, name string, state snapshotState) (bool, error) {
	if _, looked := w.until[name]; !looked {
		gone, err := w.writersGone(ctx, db, name, state.Relation)
		if err != nil || !gone {
			return false, err
		}
		var at string
		if err := db.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&at); err != nil {
			return false, fmt.Errorf("position of the log: %w", err)
		}
		w.until[name] = at
		// something to follow behind it
		if _, err := db.Exec(ctx, sql.Postgres("cdc_heartbeat"), w.cfg.Slot); err != nil {
			return false, fmt.Errorf("heartbeat: %w", err)
		}
	}
	var followed bool
	err := db.QueryRow(ctx, sql.Postgres("cdc_followed"), w.cfg.Slot, w.until[name]).Scan(&followed)
	if err != nil {
		return false, fmt.Errorf("replication slot %s: %w", w.cfg.Slot, err)
	}
	return followed, nil
}

// writersGone tells whether all that wrote to the table when it was first looked at have ended.
func (w *waiting) writersGone(ctx context.Context, db *pgx.Conn, name string, relation uint32) (bool, error) {
	rows, err := db.Query(ctx, sql.Postgres("cdc_writers"), relation)
	if err != nil {
		return false, fmt.Errorf("writers of %s: %w", name, err)
	}
	now, err := pgx.CollectRows(rows, pgx.RowToStructByPos[writer])
	if err != nil {
		return false, fmt.Errorf("writers of %s: %w", name, err)
	}
	var still []string
	said := ""
	for _, one := range now {
		if first, looked := w.writers[name]; !looked || slices.Contains(first, one.Transaction) {
			still = append(still, one.Transaction)
			said = fmt.Sprintf("a transaction that wrote to it: pid %d, user %s, application %q, since %s", one.PID,
				one.User, one.Application, one.Since)
		}
	}
	w.writers[name] = still
	if w.state.wait("reading table "+name+" anew", said) && said != "" {
		w.log.Warn("a table is to be read anew, and waits", zap.String("table", name), zap.String("for", said))
	}
	return len(still) == 0, nil
}

// writer is a transaction that has written to a table.
type writer struct {
	Transaction string
	PID         int
	User        string
	Application string
	Since       string
}
