package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/feedrank/feedrank/sql"
)

// Database is a connection or a pool.
type Database interface {
	catalog
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// duplicatesFor is how long duplicates are looked for: a table that takes longer is believed.
const duplicatesFor = 10 * time.Second

// NotUnique tells why an id does not name one row, or may not; empty: it does. key is the table's primary key.
// Rows are kept by the id alone, so two under one would take each other's place. It looks at the rows, too.
func NotUnique(ctx context.Context, db Database, table, id string, key []string) (string, error) {
	why, sure, err := undeclared(ctx, db, table, id, key)
	if sure || err != nil {
		return why, err
	}
	schema, name, _ := strings.Cut(table, ".")
	twice, err := duplicate(ctx, db, pgx.Identifier{schema, name}.Sanitize(), pgx.Identifier{id}.Sanitize())
	if err != nil {
		return "", fmt.Errorf("unique ids of %s: %w", table, err)
	}
	if twice != "" {
		return fmt.Sprintf("%s of %s is not unique by itself: %s is there more than once, and rows are known by it alone", id, table, twice), nil
	}
	return "", nil
}

// undeclared tells why nothing in the catalog says that an id is unique, and whether the catalog is enough to say so.
func undeclared(ctx context.Context, db catalog, table, id string, key []string) (why string, sure bool, err error) {
	if len(key) == 1 && key[0] == id {
		return "", true, nil
	}
	schema, name, _ := strings.Cut(table, ".")
	var byIndex, bySequence, besideTime bool
	err = db.QueryRow(ctx, sql.Postgres("cdc_unique"), schema, name, id, key).Scan(&byIndex, &bySequence, &besideTime)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || byIndex: // a column that is not there is somebody else's problem
		return "", true, nil
	case err != nil:
		return "", false, fmt.Errorf("unique ids of %s: %w", table, err)
	case bySequence || besideTime:
		return "", false, nil
	}
	return fmt.Sprintf("%s of %s is not unique by itself, as far as its key (%s) says: rows are known by it alone; "+
			"add a unique index on %s, or have one sequence give its values", id, table, strings.Join(key, ", "), id),
		true,
		nil
}

// duplicate finds a value that is there more than once.
func duplicate(ctx context.Context, db Database, table, column string) (twice string, err error) {
	err = pgx.BeginTxFunc(ctx, db, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d",
			duplicatesFor.Milliseconds())); err != nil {
			return err
		}
		query := fmt.Sprintf("SELECT %[1]s::text FROM %[2]s GROUP BY %[1]s HAVING count(*) > 1 LIMIT 1", column, table)
		if err := tx.QueryRow(ctx, query).Scan(&twice); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "57014" { // it took too long
		return "", nil
	}
	return twice, err
}
