package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

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
	database string
	lead     int64  // the number of our lead
	snapshot string // of the slot's consistent point, exported; empty when the slot is older than the session
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
// none.
func (s *Source) prepare(ctx context.Context, db *pgx.Conn, replication *pgconn.PgConn) (start, error) {
	system, err := pglogrepl.IdentifySystem(ctx, replication)
	if err != nil {
		return start{}, fmt.Errorf("identify the database: %w", err)
	}
	at := start{system: system.SystemID, database: system.DBName}
	if err := s.publish(ctx, db); err != nil { // before the slot: the log is decoded with the catalog of its time
		return start{}, err
	}
	known, err := s.readSnapshots(ctx, db)
	if err != nil {
		return start{}, err
	}
	slot, err := s.readSlot(ctx, db)
	if err != nil {
		return start{}, err
	}
	if (!slot.exists && len(known) > 0) || slot.status == "lost" {
		if err := s.lost(ctx, db, slot); err != nil {
			return start{}, err
		}
		slot = slotState{}
	}
	if !slot.exists {
		made, err := pglogrepl.CreateReplicationSlot(ctx, replication, pgx.Identifier{s.cfg.Slot}.Sanitize(), "pgoutput",
			pglogrepl.CreateReplicationSlotOptions{Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
		if err != nil {
			return start{}, fmt.Errorf("create replication slot %s: %w", s.cfg.Slot, err)
		}
		at.snapshot = made.SnapshotName
		s.log.Info("replication slot created", zap.String("slot", s.cfg.Slot), zap.String("consistent_point", made.ConsistentPoint))
		if slot, err = s.readSlot(ctx, db); err != nil {
			return start{}, err
		}
	}
	for _, t := range s.tables {
		if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_begin"), s.cfg.Slot, t, slot.restart.String()); err != nil {
			return start{}, fmt.Errorf("begin the snapshot of %s: %w", t, err)
		}
	}
	return at, nil
}

// lost handles a slot that no longer stands for the log since our last change.
func (s *Source) lost(ctx context.Context, db *pgx.Conn, slot slotState) error {
	s.metrics.lostSlots.Inc()
	if s.cfg.OnLostSlot == "fail" {
		return fmt.Errorf("%w (slot %s)", ErrLostSlot, s.cfg.Slot)
	}
	s.log.Error("the replication slot is lost; all tables are read anew", zap.String("slot", s.cfg.Slot), zap.String("wal_status", slot.status))
	if slot.exists {
		if _, err := db.Exec(ctx, "SELECT pg_drop_replication_slot($1)", s.cfg.Slot); err != nil {
			return fmt.Errorf("drop replication slot %s: %w", s.cfg.Slot, err)
		}
	}
	if _, err := db.Exec(ctx, sql.Postgres("cdc_snapshot_forget"), s.cfg.Slot); err != nil {
		return fmt.Errorf("forget the snapshots of %s: %w", s.cfg.Slot, err)
	}
	return nil
}

// publish makes the publication, or adds the tables that it lacks. It never takes one away.
func (s *Source) publish(ctx context.Context, db *pgx.Conn) error {
	name := pgx.Identifier{s.cfg.Publication}.Sanitize()
	var exists bool
	if err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", s.cfg.Publication).Scan(&exists); err != nil {
		return fmt.Errorf("publication %s: %w", s.cfg.Publication, err)
	}
	var lacking []string
	rows, err := db.Query(ctx, sql.Postgres("cdc_published"), s.cfg.Publication)
	if err != nil {
		return fmt.Errorf("publication %s: %w", s.cfg.Publication, err)
	}
	published, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("publication %s: %w", s.cfg.Publication, err)
	}
	for _, t := range s.tables {
		if !slices.Contains(published, t) {
			lacking = append(lacking, pgx.Identifier(strings.SplitN(t, ".", 2)).Sanitize())
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	statement := fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE %s", name, strings.Join(lacking, ", "))
	if !exists {
		statement = fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true)", name, strings.Join(lacking, ", "))
	}
	if _, err := db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("publication %s for %s: %w: create or grant it, or change cdc.tables", s.cfg.Publication, strings.Join(lacking, ", "), err)
	}
	s.log.Info("publication made complete", zap.String("publication", s.cfg.Publication), zap.Strings("tables", lacking))
	return nil
}
