package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/sql"
)

// survey is what was found of the mapped tables and their publication.
type survey struct {
	publication publication
	tables      map[string]*table // those that exist
	problems    map[string]string // what is in the way of a table, by its name
}

// look surveys. It changes nothing.
func look(ctx context.Context, db catalog, publicationName string, wanted []Table) (*survey, error) {
	p, err := readPublication(ctx, db, publicationName)
	if err != nil {
		return nil, err
	}
	found := &survey{publication: p, tables: map[string]*table{}, problems: map[string]string{}}
	for _, w := range wanted {
		t, err := readTable(ctx, db, w)
		if errors.Is(err, errNoTable) {
			found.problems[w.Name] = err.Error()
			continue
		}
		if err != nil {
			return nil, err
		}
		if t.forbidden == "" && w.Key != "" {
			if t.forbidden, _, err = undeclared(ctx, db, w.Name, w.Key, t.primary()); err != nil {
				return nil, err
			}
		}
		found.tables[w.Name] = t
		if t.forbidden != "" {
			found.problems[w.Name] = t.forbidden
		} else if lacks := p.lacks(t); lacks != "" {
			found.problems[w.Name] = lacks
		}
	}
	return found, nil
}

// usable are the tables whose log can be followed, whether it is complete or not.
func (v *survey) usable(wanted []Table) []*table {
	var all []*table
	for _, w := range wanted {
		if t := v.tables[w.Name]; t != nil && t.forbidden == "" && v.publication.carries(t) {
			all = append(all, t)
		}
	}
	return all
}

// errLostPublication says that the publication of our slot is gone: changes were not published meanwhile, and
// the log from before cannot be decoded with one that is made now.
var errLostPublication = errors.New("the publication was dropped")

// reconcile compares what is published, and what was read, with the mapped tables, and sets right what we may:
// a table that came, came back or was replaced by another is published, and will be read anew; one that must
// not be published is taken out, because the app's own updates of it fail. The slot is there already.
func (s *Source) reconcile(ctx context.Context, db *pgx.Conn) (*survey, error) {
	found, err := look(ctx, db, s.cfg.Publication, s.tables)
	if err != nil {
		return nil, err
	}
	known, err := s.readSnapshots(ctx, db)
	if err != nil {
		return nil, err
	}
	if lostPublication(found.publication, known) {
		return nil, errLostPublication
	}
	for _, w := range s.tables {
		if err := s.reconcileTable(ctx, db, found, w.Name, known); err != nil {
			return nil, err
		}
	}
	s.report(found)
	return found, nil
}

// lostPublication tells whether the publication is not the one that the tables were read with.
func lostPublication(p publication, known map[string]snapshotState) bool {
	for _, state := range known {
		if !p.exists || (state.Publication != 0 && state.Publication != p.OID) {
			return true
		}
	}
	return false
}

func (s *Source) reconcileTable(ctx context.Context, db *pgx.Conn, found *survey, name string,
	known map[string]snapshotState,
) error {
	p, t := found.publication, found.tables[name]
	state, read := known[name]
	carried := t != nil && p.carries(t)
	if read && !state.Lost && (found.problems[name] != "" || !carried) {
		if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_lost"), s.cfg.Slot, name); err != nil {
			return fmt.Errorf("note what %s lost: %w", name, err)
		}
	}
	switch {
	case t == nil:
		return nil
	case t.forbidden != "":
		return s.withdraw(ctx, db, found, t)
	case found.problems[name] != "":
		return nil
	}
	var statements []string
	if !carried || p.refusesUpdates(t) {
		statements = p.put(t, s.cfg.PublishColumns == "mapped")
	}
	why := ""
	switch {
	case !read:
		why = "it was never read"
	case state.Relation != 0 && state.Relation != t.relation.OID:
		why = "another table has taken its name"
	case state.Key != "" && state.Key != t.keyNames():
		why = "its key has become " + t.keyNames()
	case !carried:
		why = "it was not published, or not with all of its columns"
	case state.Lost:
		why = "changes of it were lost"
	}
	if why != "" && t.hidden != "" { // it could not be read anew
		found.problems[name] = t.hidden
		return nil
	}
	if why == "" && len(statements) == 0 {
		return nil
	}
	err := s.publish(ctx, db, t, p.OID, statements, why != "")
	if err != nil {
		found.problems[name] = notOurs(err, statements).Error()
		s.log.Debug("publish a table", zap.String("table", name), zap.Error(err))
		return nil
	}
	p.tables[name] = published{Name: name}
	if why != "" {
		s.log.Warn("a table is read anew, once the log was followed to here", zap.String("table", name),
			zap.String("why", why))
	}
	return nil
}

// publish runs statements that have the publication carry a table, and notes that it is to be read anew: both
// or neither. Every change that is published now lies behind the position that is noted.
func (s *Source) publish(ctx context.Context, db *pgx.Conn, t *table, publication uint32, statements []string,
	again bool,
) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// Whoever holds the table for long is not waited for: others would wait behind us.
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '2s'"); err != nil {
			return err
		}
		var (
			when time.Time
			at   string
		)
		if err := tx.QueryRow(ctx, "SELECT clock_timestamp(), pg_current_wal_insert_lsn()::text").Scan(&when,
			&at); err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("publication %s: %w", s.cfg.Publication, err)
			}
		}
		if !again {
			return nil
		}
		_, err := tx.Exec(ctx, sql.Postgres("cdc_snapshot_again"), s.cfg.Slot, t.fullName(), at, when, t.relation.OID,
			publication, t.keyNames())
		return err
	})
}

// withdraw takes a table that must not be published out of the publication, where we may.
func (s *Source) withdraw(ctx context.Context, db *pgx.Conn, found *survey, t *table) error {
	if _, in := found.publication.tables[t.fullName()]; !in {
		return nil
	}
	drop := found.publication.drop(t)
	if _, err := db.Exec(ctx, drop); err != nil {
		found.problems[t.fullName()] += fmt.Sprintf("; it is published still, so the app's own updates and deletes of it may fail: %v", notOurs(err, []string{drop}))
		return nil // it is reported
	}
	s.log.Error("a table was taken out of the publication", zap.String("table", t.fullName()),
		zap.String("why", t.forbidden))
	return nil
}

// report tells of what is in the way of a table, and logs it if it is news.
func (s *Source) report(found *survey) {
	for _, w := range s.tables {
		problem := found.problems[w.Name]
		up := 0.0
		if problem != "" {
			up = 1
		}
		s.metrics.problems.WithLabelValues(w.Name).Set(up)
		if s.state.problem(w.Name, problem) && problem != "" {
			s.log.Error("changes of a table are not read", zap.String("table", w.Name), zap.String("why", problem))
		}
	}
}

// tableNames are the names of tables.
func tableNames(tables []*table) []string {
	var names []string
	for _, t := range tables {
		names = append(names, t.fullName())
	}
	slices.Sort(names)
	return names
}
