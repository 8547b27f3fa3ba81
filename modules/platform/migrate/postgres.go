package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/platform/postgres"
	"github.com/feedrank/feedrank/sql"
)

// Locked runs f while no other replica migrates. The connection holds the lock.
func Locked(ctx context.Context, cfg postgres.Config, f func(context.Context, *pgx.Conn) error) error {
	return postgres.WithAdvisoryLock(ctx, cfg, "migrate", f)
}

// Postgres brings our schema up to date; with dryRun it only tells what it would do. Each file is one
// transaction.
func Postgres(ctx context.Context, conn *pgx.Conn, dryRun bool) ([]State, error) {
	migrations, err := load(sql.Files(), "postgres/migrations")
	if err != nil {
		return nil, err
	}
	states, err := run(ctx, postgresTarget{conn: conn, dryRun: dryRun}, migrations, dryRun)
	if err != nil {
		return states, fmt.Errorf("postgres: %w", err)
	}
	return states, nil
}

type postgresTarget struct {
	conn   *pgx.Conn
	dryRun bool
}

func (t postgresTarget) applied(ctx context.Context) (map[string]string, error) {
	if !t.dryRun {
		_, err := t.conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS feedrank;
			CREATE TABLE IF NOT EXISTS feedrank.schema_migrations (
				version text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
			)`)
		if err != nil {
			return nil, fmt.Errorf("create the schema feedrank (or have an administrator create it and grant its use): %w", err)
		}
	}
	applied := map[string]string{}
	// ForEachRow returns its error
	rows, _ := t.conn.Query(ctx, "SELECT version, checksum FROM feedrank.schema_migrations")
	var version, checksum string
	_, err := pgx.ForEachRow(rows, []any{&version, &checksum}, func() error {
		applied[version] = checksum
		return nil
	})
	if t.dryRun && postgres.IsUndefined(err) {
		return applied, nil
	}
	return applied, err
}

func (t postgresTarget) apply(ctx context.Context, m Migration) (err error) {
	tx, err := t.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if rollback := tx.Rollback(ctx); !errors.Is(rollback, pgx.ErrTxClosed) {
			err = errors.Join(err, rollback)
		}
	}()
	for _, statement := range m.Statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "INSERT INTO feedrank.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
		m.Version, m.Name, m.Checksum); err != nil {
		return err
	}
	return tx.Commit(ctx)
}
