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

	"github.com/feedrank/feedrank/sql"
)

// A slot begins where no transaction is under way that began before it: making one waits for all of them, in
// every database of the server.
const (
	slotWait  = time.Minute     // for one of them; then the session ends, and another one tries again
	slotCheck = 2 * time.Second // how often is looked whom it waits for
)

// makeSlot makes the replication slot and returns the name of its snapshot. The server itself ends what waits too
// long, so that nothing is left behind, even if we are killed meanwhile.
func (s *Source) makeSlot(ctx context.Context, db *pgx.Conn, replication *pgconn.PgConn) (snapshot string, err error) {
	if err := replication.Exec(ctx, fmt.Sprintf("SET lock_timeout = %d", slotWait.Milliseconds())).Close(); err != nil {
		return "", fmt.Errorf("bound the wait for a replication slot: %w", err)
	}
	type answer struct {
		pglogrepl.CreateReplicationSlotResult
		err error
	}
	made := make(chan answer, 1)
	go func() {
		result, err := pglogrepl.CreateReplicationSlot(ctx, replication, pgx.Identifier{s.cfg.Slot}.Sanitize(),
			"pgoutput",
			pglogrepl.CreateReplicationSlotOptions{
				Mode:           pglogrepl.LogicalReplication,
				SnapshotAction: "EXPORT_SNAPSHOT",
			})
		made <- answer{result, err}
	}()
	tick := time.NewTicker(slotCheck)
	defer tick.Stop()
	const todo = "the first reading"
	defer s.state.wait(todo, "")
	said := ""
	for {
		select {
		case a := <-made:
			if a.err != nil {
				return "", fmt.Errorf("create replication slot %s%s: %w", s.cfg.Slot, said, a.err)
			}
			s.log.Info("replication slot created", zap.String("slot", s.cfg.Slot),
				zap.String("consistent_point", a.ConsistentPoint))
			return a.SnapshotName, nil
		case <-tick.C:
			who, err := blockers(ctx, db, replication.PID())
			if err != nil {
				a := <-made
				return "", errors.Join(err, a.err)
			}
			if who != "" {
				said = ", which waits for " + who
			}
			if s.state.wait(todo, who) && who != "" {
				s.log.Warn("making the replication slot waits for a transaction to end", zap.String("slot", s.cfg.Slot),
					zap.String("for", who))
			}
		}
	}
}

// blockers describes the sessions that another one waits for.
func blockers(ctx context.Context, db *pgx.Conn, pid uint32) (string, error) {
	rows, err := db.Query(ctx, sql.Postgres("cdc_blockers"), int32(pid))
	if err != nil {
		return "", fmt.Errorf("whom the replication slot waits for: %w", err)
	}
	who := ""
	var b blocker
	_, err = pgx.ForEachRow(rows, []any{&b.PID, &b.Database, &b.User, &b.Application, &b.State, &b.Since},
		func() error {
			if who != "" {
				who += "; "
			}
			who += fmt.Sprintf("the transaction of pid %d in database %s (user %s, application %q, %s, since %s)",
				b.PID, b.Database, b.User, b.Application, b.State, b.Since)
			return nil
		})
	if err != nil {
		return "", fmt.Errorf("whom the replication slot waits for: %w", err)
	}
	return who, nil
}

// blocker is a session that is waited for.
type blocker struct {
	PID                                       int
	Database, User, Application, State, Since string
}
