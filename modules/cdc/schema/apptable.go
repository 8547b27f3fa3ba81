package schema

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
	"github.com/feedrank/feedrank/sql"
)

// AppTable reads the rows of one kind from the app's own table.
type AppTable struct {
	pool   *pgxpool.Pool
	source *mapping.Source
	shape  shape
}

// AppRow is a row of the app, as it was read and as the mapping sees it.
type AppRow struct {
	mapping.Row
	Fields map[string]json.RawMessage
}

// OpenTable asks what the table of a kind looks like now.
func OpenTable(ctx context.Context, pool *pgxpool.Pool, s *mapping.Source) (AppTable, error) {
	found, err := readShape(ctx, pool, s.Table)
	if err != nil {
		return AppTable{}, err
	}
	return AppTable{pool: pool, source: s, shape: found.keyedAs(s)}, nil
}

// Lookup reads the app's rows with these keys of our copy, as of a position of the log that it returns. Texts names
// those whose numbers were derived; one that it does not is looked for in the whole table.
func (a AppTable) Lookup(ctx context.Context, keys []string, texts Texts) (map[string]AppRow, envelope.SourcePosition,
	error,
) {
	wanted := make(map[string]AppRow, len(keys))
	asked := make(map[string]bool, len(keys))
	for _, key := range keys {
		asked[key] = true
	}
	conditions, err := a.byKeys(keys, texts)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	var at envelope.SourcePosition
	err = a.begin(ctx, func(tx pgx.Tx) error {
		// See the source's snapshots: a truncate is then wholly before the position, or after us.
		if _, err := tx.Exec(ctx, "LOCK TABLE "+quoted(a.source.Table)+" IN ACCESS SHARE MODE"); err != nil {
			return err
		}
		if at, err = positionNow(ctx, tx); err != nil {
			return err
		}
		for _, c := range conditions {
			if _, err := a.read(ctx, tx, c.where, c.args, func(key string, row AppRow) error {
				if asked[key] {
					wanted[key] = row
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, envelope.SourcePosition{}, fmt.Errorf("read %s: %w", a.source.Table, err)
	}
	return wanted, at, nil
}

// Scan reads the rows that are of the kind, in an order of the database's, and counts those that cannot be read.
func (a AppTable) Scan(ctx context.Context, where string, each func(key string, row AppRow) error) (unreadable int,
	err error,
) {
	err = a.begin(ctx, func(tx pgx.Tx) error {
		bad, err := a.read(ctx, tx, where, nil, each)
		unreadable = bad.rows
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("scan %s: %w", a.source.Table, err)
	}
	return unreadable, nil
}

// NthKey finds the n-th row by the order of some columns, by the index of the key, and returns their values in it.
// ok is false if there are fewer.
func (a AppTable) NthKey(ctx context.Context, columns []string, where string, n int64) (key []int64, ok bool,
	err error,
) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c}.Sanitize()
	}
	keys := strings.Join(names, ", ")
	query := fmt.Sprintf("SELECT ARRAY[%s]::bigint[] FROM %s%s ORDER BY %s OFFSET %d LIMIT 1", keys,
		quoted(a.source.Table), where, keys, n-1)
	err = a.begin(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, query).Scan(&key) })
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("order of %s: %w", a.source.Table, err)
	}
	return key, true, nil
}

// condition is which rows are read.
type condition struct {
	where string
	args  []any
}

// byKeys are the conditions for rows with these keys; without a word where a key's text is not PostgreSQL's own, so
// that every row must be looked at.
func (a AppTable) byKeys(keys []string, texts Texts) (all []condition, err error) {
	columns := a.shape.key
	if id := a.source.IDColumn(); id != "" {
		columns = []string{id}
	}
	values, unnamed := map[string][]string{}, []string(nil)
	for _, key := range keys {
		parts, err := a.keyValues(key, texts)
		switch {
		case errors.Is(err, ErrUnnamed):
			unnamed = append(unnamed, key)
			continue
		case err != nil:
			return nil, err
		}
		for _, c := range columns {
			values[c] = append(values[c], parts[c])
		}
	}
	if len(unnamed) > 0 {
		number := sql.KeyNumber(pgx.Identifier{columns[0]}.Sanitize() + "::text")
		all = append(all, condition{" WHERE " + number + " = ANY($1::text[]::bigint[])", []any{unnamed}})
	}
	if len(unnamed) == len(keys) {
		return all, nil
	}
	var names, arrays []string
	var args []any
	for i, c := range columns {
		switch a.shape.oids[c] {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.UUIDOID, pgtype.TextOID,
			pgtype.VarcharOID:
		default:
			return []condition{{}}, nil
		}
		names = append(names, pgx.Identifier{c}.Sanitize())
		arrays = append(arrays, fmt.Sprintf("$%d::text[]::%s[]", i+1, a.shape.types[c]))
		args = append(args, values[c])
	}
	return append(all, condition{
		fmt.Sprintf(" WHERE (%s) IN (SELECT * FROM unnest(%s))", strings.Join(names, ", "),
			strings.Join(arrays, ", ")), args,
	}), nil
}

func (a AppTable) read(ctx context.Context, tx pgx.Tx, where string, args []any,
	each func(key string, row AppRow) error,
) (bad unmappable, err error) {
	var columns []string
	for _, c := range append(a.source.NeededColumns(), a.shape.key...) {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + quoted(a.source.Table) + where
	// described each time: the types of an app's columns may change
	options := []any{pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.TextFormatCode}}
	rows, err := tx.Query(ctx, query, append(options, args...)...)
	if err != nil {
		return bad, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := a.decode(rows)
		bad.read++
		switch {
		case err != nil: // the consumer has dead-lettered it
			bad.rows++
			bad.why = cmp.Or(bad.why, err)
		case !row.Gone:
			if err := each(a.source.Kind.CopyKey(row.Row), row); err != nil {
				return bad, err
			}
		}
	}
	return bad, rows.Err()
}

// unmappable are rows that the mapping cannot read, of those that were read.
type unmappable struct {
	rows, read int
	why        error // of the first
}

func (a AppTable) decode(rows pgx.Rows) (AppRow, error) {
	fields := map[string]json.RawMessage{}
	values := rows.RawValues()
	for i, f := range rows.FieldDescriptions() {
		fields[f.Name] = pgvalue.Plain(f.DataTypeOID, values[i])
	}
	key := map[string]json.RawMessage{}
	for i, f := range rows.FieldDescriptions() {
		if slices.Contains(a.shape.key, f.Name) {
			key[f.Name] = a.shape.keyJSON(f.Name, values[i])
		}
	}
	row, err := a.source.Alive(envelope.NewRow(key), envelope.NewRow(fields))
	return AppRow{Row: row, Fields: fields}, err
}

func positionNow(ctx context.Context, tx pgx.Tx) (envelope.SourcePosition, error) {
	at, err := envelope.ScanPosition(tx.QueryRow(ctx, sql.Postgres("cdc_position")))
	if err != nil {
		return envelope.SourcePosition{}, fmt.Errorf("position of the log: %w", err)
	}
	return at, nil
}

// begin runs f in a read-only transaction whose statements may take long.
func (a AppTable) begin(ctx context.Context, f func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, a.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		return f(tx)
	})
}

func quoted(table string) string { return pgx.Identifier(strings.SplitN(table, ".", 2)).Sanitize() }
