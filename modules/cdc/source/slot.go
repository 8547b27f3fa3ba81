package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/sql"
)

// slotState is our replication slot as PostgreSQL describes it.
type slotState struct {
	exists  bool
	active  bool
	status  string // wal_status: lost means that the log is gone
	restart pglogrepl.LSN
	flushed pglogrepl.LSN
	held    int64 // bytes of log kept for us
}

// start is where a session begins.
type start struct {
	system   string // the database cluster's identity
	timeline int32  // of its log: one more after each standby that took over
	database string
	lead     int64  // the number of our lead
	snapshot string // of the slot's consistent point, exported; empty when the slot is older than the session
	tables   []*table
}

func (s *Source) readSlot(ctx context.Context, conn *pgx.Conn) (slotState, error) {
	ctx, cancel := context.WithTimeout(ctx, s.postgres.StatementTimeout)
	defer cancel()
	slot := slotState{exists: true}
	err := conn.QueryRow(ctx, sql.Postgres("cdc_slot"), s.cfg.Slot).
		Scan(&slot.active, &slot.status, &slot.restart, &slot.flushed, &slot.held)
	if errors.Is(err, pgx.ErrNoRows) {
		return slotState{}, nil
	}
	if err != nil {
		return slotState{}, fmt.Errorf("replication slot %s: %w", s.cfg.Slot, err)
	}
	return slot, nil
}

// prepare makes sure of the publication, the slot and a snapshot to be taken of every table that has
// none. Nothing is published that was not looked at: see table.judge.
func (s *Source) prepare(ctx context.Context, db *pgx.Conn, replication *pgconn.PgConn) (start, error) {
	if err := requireLogical(ctx, db); err != nil {
		return start{}, err
	}
	system, err := pglogrepl.IdentifySystem(ctx, replication)
	if err != nil {
		return start{}, fmt.Errorf("identify the database: %w", err)
	}
	at := start{system: system.SystemID, timeline: system.Timeline, database: system.DBName}
	slot, err := s.findSlot(ctx, db)
	if err != nil {
		return start{}, err
	}
	if !slot.exists {
		if err := s.begin(ctx, db, replication, &at); err != nil {
			return start{}, err
		}
	} else if err := s.slotFree(ctx, db); err != nil {
		return start{}, err
	}
	found, err := s.reconcile(ctx, db)
	if err != nil {
		return start{}, err
	}
	at.tables = found.usable(s.tables)
	return at, nil
}

// errWALLevel says that the server writes no log that can be decoded.
var errWALLevel = errors.New("set wal_level = logical in PostgreSQL and restart it: now its log tells no changes of rows")

func requireLogical(ctx context.Context, db catalog) error {
	var level string
	if err := db.QueryRow(ctx, "SELECT current_setting('wal_level')").Scan(&level); err != nil {
		return fmt.Errorf("wal_level: %w", err)
	}
	if level != "logical" {
		return fmt.Errorf("wal_level is %s: %w", level, errWALLevel)
	}
	return nil
}

// findSlot finds our slot; one that no longer stands for the log since our last change is taken away.
func (s *Source) findSlot(ctx context.Context, db *pgx.Conn) (slotState, error) {
	known, err := s.readSnapshots(ctx, db)
	if err != nil {
		return slotState{}, err
	}
	slot, err := s.readSlot(ctx, db)
	if err != nil {
		return slotState{}, err
	}
	p, err := readPublication(ctx, db, s.cfg.Publication)
	if err != nil {
		return slotState{}, err
	}
	why := ""
	switch {
	case !slot.exists && len(known) > 0:
		why = "the slot is gone"
	case slot.status == "lost":
		why = "PostgreSQL has removed the log that the slot stood for"
	case slot.exists && (!p.exists || lostPublication(p, known)):
		why = "publication " + s.cfg.Publication + " was dropped, and what was changed meanwhile was not published"
	}
	if why == "" {
		return slot, nil
	}
	return slotState{}, s.lost(ctx, db, slot, why)
}

// lost handles a slot that no longer stands for the log since our last change.
func (s *Source) lost(ctx context.Context, db *pgx.Conn, slot slotState, why string) error {
	s.metrics.lostSlots.Inc()
	if s.cfg.OnLostSlot == "fail" {
		return fmt.Errorf("%w (slot %s: %s)", ErrLostSlot, s.cfg.Slot, why)
	}
	s.log.Error("the replication slot is lost; all tables are read anew", zap.String("slot", s.cfg.Slot),
		zap.String("why", why))
	if slot.exists {
		if err := s.slotFree(ctx, db); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, "SELECT pg_drop_replication_slot($1)", s.cfg.Slot); err != nil {
			return fmt.Errorf("drop replication slot %s: %w", s.cfg.Slot, err)
		}
	}
	if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_forget"), s.cfg.Slot); err != nil {
		return fmt.Errorf("forget the snapshots of %s: %w", s.cfg.Slot, err)
	}
	return nil
}

// slotFree waits a moment for the slot of a session of ours that has just ended.
func (s *Source) slotFree(ctx context.Context, db *pgx.Conn) error {
	for range 50 {
		slot, err := s.readSlot(ctx, db)
		if err != nil || !slot.active {
			return err
		}
		if err := worker.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil // whoever has it is named by the error that comes
}

// begin makes the publication and the slot. The publication comes first: the log is decoded with the
// catalog of its time.
func (s *Source) begin(ctx context.Context, db *pgx.Conn, replication *pgconn.PgConn, at *start) error {
	found, err := look(ctx, db, s.cfg.Publication, s.tables)
	if err != nil {
		return err
	}
	var tables []*table
	for _, w := range s.tables {
		if t := found.tables[w.Name]; t != nil && found.problems[w.Name] == "" {
			if t.hidden != "" {
				found.problems[w.Name] = t.hidden
				continue
			}
			tables = append(tables, t)
		}
	}
	s.report(found)
	if len(tables) == 0 {
		return s.nothing(found)
	}
	if err := s.publishAll(ctx, db, found.publication, tables); err != nil {
		return err
	}
	var before time.Time
	if err := db.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&before); err != nil {
		return err
	}
	if at.snapshot, err = s.makeSlot(ctx, db, replication); err != nil {
		return err
	}
	slot, err := s.readSlot(ctx, db)
	if err != nil {
		return err
	}
	p, err := readPublication(ctx, db, s.cfg.Publication)
	if err != nil {
		return err
	}
	for _, t := range tables {
		_, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_begin"), s.cfg.Slot, t.fullName(), slot.restart.String(),
			before, t.relation.OID, p.OID, t.keyNames())
		if err != nil {
			return fmt.Errorf("begin the snapshot of %s: %w", t.fullName(), err)
		}
	}
	return nil
}

// nothing says that no table can be read.
func (s *Source) nothing(found *survey) error {
	var all []error
	for _, w := range s.tables {
		all = append(all, fmt.Errorf("table %s %s", w.Name, found.problems[w.Name])) // said once, to people
	}
	return fmt.Errorf("no table can be read: %w", errors.Join(all...))
}

// publishAll makes the publication, or has it carry the tables that it lacks.
func (s *Source) publishAll(ctx context.Context, db *pgx.Conn, p publication, tables []*table) error {
	list := s.cfg.PublishColumns == "mapped"
	var statements []string
	if !p.exists {
		statements = append(statements, p.create(tables, list))
	}
	for _, t := range tables {
		if p.exists && (!p.carries(t) || p.refusesUpdates(t)) {
			statements = append(statements, p.put(t, list)...)
		}
	}
	if len(statements) == 0 {
		return nil
	}
	for _, statement := range statements {
		if _, err := db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("publication %s: %w: create or grant it, or change cdc.tables", s.cfg.Publication,
				notOurs(err, statements))
		}
	}
	s.log.Info("publication made complete", zap.String("publication", s.cfg.Publication),
		zap.Strings("statements", statements))
	return nil
}
