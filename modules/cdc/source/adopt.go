package source

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
)

// ErrKnown is returned by Adopt where the source has begun already.
var ErrKnown = errors.New("the source has read this database before")

// Adopt makes the publication and the slot, and takes every table as read: ClickHouse has the rows
// already. The source then begins with the log from here. Nothing may have been written to the tables
// since ClickHouse got them.
func (s *Source) Adopt(ctx context.Context) (err error) {
	db, err := s.connect(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeConn(db)) }()
	replication, err := s.connect(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeConn(replication)) }()
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
