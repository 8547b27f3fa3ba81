package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
)

// ErrKnown is returned by Adopt where the source has begun already.
var ErrKnown = errors.New("the source has read this database before")

// Adopt makes the publication and the slot, and takes every table as read: ClickHouse has the rows
// already. The source then begins with the log from here. Nothing may have been written to the tables
// since ClickHouse got them.
func (s *Source) Adopt(ctx context.Context) error { return s.connected(ctx, s.adopt) }

func (s *Source) adopt(ctx context.Context, db, replication *pgx.Conn) error {
	if slot, err := s.readSlot(ctx, db); err != nil || slot.exists {
		return errors.Join(err, fmt.Errorf("slot %s: %w", s.cfg.Slot, ErrKnown))
	}
	at, err := s.prepare(ctx, db, replication.PgConn())
	if err != nil {
		return err
	}
	lead, err := s.takeLead(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range tableNames(at.tables) {
		if err := s.saveSnapshot(ctx, db, lead, t, nil, true); err != nil {
			return err
		}
	}
	s.log.Info("took the tables as read", zap.Strings("tables", tableNames(at.tables)))
	return nil
}
