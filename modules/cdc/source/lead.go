package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// errLostLead ends a session whose lead another replica has taken.
var errLostLead = errors.New("another replica leads")

// lead is the source while we hold the lock: its connection is held by the heartbeat, which ends
// everything if it dies, because the lock falls with it. The server ends that connection when it has not
// heard of us for Config.LeadTimeout: we may be frozen. Who leads then ends our other connections; what
// we wrote to Kafka after that carries our number, which is lower than that of what the other wrote.
func (s *Source) lead(ctx context.Context, lock *pgx.Conn) error {
	if _, err := lock.Exec(ctx, "SELECT set_config('idle_session_timeout', $1, false)",
		fmt.Sprint(s.cfg.LeadTimeout.Milliseconds())); err != nil {
		return fmt.Errorf("bound the lead's silence: %w", err)
	}
	number, err := s.takeLead(ctx, lock)
	if err != nil {
		return err
	}
	var ended int
	if err := lock.QueryRow(ctx, sql.Postgres("cdc_end_former"), s.sessionName()).Scan(&ended); err != nil {
		return fmt.Errorf("end the former leader's sessions: %w", err)
	}
	if ended > 0 {
		s.log.Warn("the former leader did not answer; its sessions were ended", zap.Int("sessions", ended))
	}
	s.metrics.leader.Set(1)
	defer s.metrics.leader.Set(0)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.beat(ctx, lock) })
	group.Go(func() error {
		for {
			err := s.connected(ctx, func(ctx context.Context, db, replication *pgx.Conn) error {
				return s.session(ctx, db, replication, number)
			})
			if !errors.Is(err, errReadAnew) {
				return err
			}
		}
	})
	return group.Wait()
}

// takeLead gives the lead that begins a number above all before it.
func (s *Source) takeLead(ctx context.Context, conn *pgx.Conn) (number int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.postgres.StatementTimeout)
	defer cancel()
	err = conn.QueryRow(ctx, sql.Postgres("cdc_take_lead"), s.cfg.Slot).Scan(&number)
	switch {
	case postgres.IsUndefined(err):
		return 0, fmt.Errorf("take the lead: %w: run `feedrank migrate`", err)
	case err != nil:
		return 0, fmt.Errorf("take the lead: %w", err)
	}
	return number, nil
}

// sessionName is how PostgreSQL knows the connections of whoever leads; it keeps no more letters.
func (s *Source) sessionName() string {
	const most = 63
	name := "feedrank-cdc-source " + s.cfg.Slot
	return name[:min(len(name), most)]
}

// lockCheck is how often the connection that holds the lock is asked whether it lives.
func (s *Source) lockCheck() time.Duration {
	return min(2*time.Second, s.cfg.LeadTimeout/4, s.cfg.HeartbeatInterval)
}
