package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/sql"
)

// store keeps the reports where every replica finds them, and holds audits apart.
type store struct{ pool *pgxpool.Pool }

// lock takes the one lock of audits. It falls with the connection, whatever becomes of us.
func (s store) lock(ctx context.Context) (unlock func() error, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock the audit: %w", err)
	}
	var free bool
	if err := conn.QueryRow(ctx, sql.Postgres("audit_try_lock")).Scan(&free); err != nil {
		conn.Release()
		return nil, fmt.Errorf("lock the audit: %w", err)
	}
	if !free {
		conn.Release()
		return nil, ErrRunning
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), unlockTimeout)
		defer cancel()
		defer conn.Release()
		if _, err := conn.Exec(ctx, sql.Postgres("audit_unlock")); err != nil {
			// so that the lock falls
			return fmt.Errorf("unlock the audit: %w", errors.Join(err, conn.Conn().Close(ctx)))
		}
		return nil
	}, nil
}

const unlockTimeout = 2 * time.Second

func (s store) running(ctx context.Context) (running bool, err error) {
	err = s.pool.QueryRow(ctx, sql.Postgres("audit_running")).Scan(&running)
	return running, err
}

func (s store) save(ctx context.Context, r Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	if _, err := s.pool.Exec(ctx, sql.Postgres("audit_save"), text); err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

// last is the last report; nil if there is none.
func (s store) last(ctx context.Context) (*Report, error) {
	var text []byte
	err := s.pool.QueryRow(ctx, sql.Postgres("audit_last")).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("last report: %w", err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("last report: %w", err)
	}
	return &r, nil
}
