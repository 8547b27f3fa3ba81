package source

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// beat keeps the lock's connection alive, writes the heartbeat and watches how much log the slot holds
// back.
func (s *Source) beat(ctx context.Context, lock *pgx.Conn) error {
	tick := time.NewTicker(s.lockCheck())
	defer tick.Stop()
	var last time.Time
	warned := false
	for {
		if now := s.clock.Now(); now.Sub(last) >= s.cfg.HeartbeatInterval {
			if err := s.write(ctx, lock); err != nil {
				return err
			}
			s.metrics.heartbeat.Set(float64(now.Unix()))
			last = now
		}
		slot, err := s.readSlot(ctx, lock)
		if err != nil {
			return err
		}
		s.metrics.slotLag.Set(float64(slot.held))
		over := s.cfg.WALWarnBytes > 0 && slot.held > s.cfg.WALWarnBytes
		if over && !warned {
			s.log.Warn("PostgreSQL keeps much write-ahead log for our slot: is Kafka slow, or a transaction open for long?",
				zap.String("slot", s.cfg.Slot), zap.Int64("bytes", slot.held), zap.Int64("limit", s.cfg.WALWarnBytes))
		}
		warned = over
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes the heartbeat.
func (s *Source) write(ctx context.Context, lock *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, s.postgres.StatementTimeout)
	defer cancel()
	_, err := lock.Exec(ctx, sql.Postgres("cdc_heartbeat"), s.cfg.Slot)
	if postgres.IsUndefined(err) {
		return fmt.Errorf("heartbeat: %w: run `feedrank migrate`", err)
	}
	if err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	return nil
}
