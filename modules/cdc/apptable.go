package cdc

import (
	"context"
	"encoding/json"
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

// appTable reads the rows of one kind from the app's own table.
type appTable struct {
	pool    *pgxpool.Pool
	without Erased // whose rows are none
	source  *mapping.Source
	table   liveTable
}

// originalRow is a row of the app, as it was read and as the mapping sees it.
type originalRow struct {
	mapping.Row
	key    envelope.Row
	fields map[string]json.RawMessage
}

// originals reads the app's rows with these keys, as of a position of the log that it returns.
func (a appTable) originals(ctx context.Context, keys []string) (map[string]originalRow, origin, error) {
	wanted := make(map[string]originalRow, len(keys))
	asked := make(map[string]bool, len(keys))
	for _, key := range keys {
		asked[key] = true
	}
	condition, args, err := a.byKeys(keys)
	if err != nil {
		return nil, origin{}, err
	}
	var at origin
	err = a.patient(ctx, func(tx pgx.Tx) error {
		// See the source's snapshots: a truncate is then wholly before the position, or after us.
		if _, err := tx.Exec(ctx, "LOCK TABLE "+sanitized(a.source.Table)+" IN ACCESS SHARE MODE"); err != nil {
			return err
		}
		if at, err = positionNow(ctx, tx); err != nil {
			return err
		}
		_, err := a.read(ctx, tx, condition, args, func(key string, row originalRow) error {
			if asked[key] {
				wanted[key] = row
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, origin{}, fmt.Errorf("read %s: %w", a.source.Table, err)
	}
	return wanted, at, nil
}

// byKeys is the condition for rows with these keys; empty where a key's text is not PostgreSQL's own, so
// that every row must be looked at.
func (a appTable) byKeys(keys []string) (string, []any, error) {
	columns := a.table.key
	if id := a.source.IDColumn(); id != "" {
		columns = []string{id}
	}
	values := map[string][]string{}
	for _, key := range keys {
		parts, err := a.table.keyValues(a.source, key)
		if err != nil {
			return "", nil, err
		}
		for _, c := range columns {
			values[c] = append(values[c], parts[c])
		}
	}
	var names, arrays []string
	var args []any
	for i, c := range columns {
		switch a.table.oids[c] {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.UUIDOID, pgtype.TextOID, pgtype.VarcharOID:
		default:
			return "", nil, nil
		}
		names = append(names, pgx.Identifier{c}.Sanitize())
		arrays = append(arrays, fmt.Sprintf("$%d::text[]::%s[]", i+1, a.table.types[c]))
		args = append(args, values[c])
	}
	return fmt.Sprintf(" WHERE (%s) IN (SELECT * FROM unnest(%s))", strings.Join(names, ", "), strings.Join(arrays, ", ")), args, nil
}

func (a appTable) read(ctx context.Context, tx pgx.Tx, where string, args []any, each func(key string, row originalRow) error) (unreadable int, err error) {
	var columns []string
	for _, c := range append(a.source.NeededColumns(), a.table.key...) {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + sanitized(a.source.Table) + where
	rows, err := tx.Query(ctx, query, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := readOriginal(rows, a.source, a.table)
		switch {
		case err != nil: // the consumer has dead-lettered it
			unreadable++
		case !row.Gone && !namesErased(a.without, a.source.Kind.People(row.Row)):
			if err := each(copyKey(a.source.Kind, row.Row), row); err != nil {
				return unreadable, err
			}
		}
	}
	return unreadable, rows.Err()
}

func readOriginal(rows pgx.Rows, s *mapping.Source, t liveTable) (originalRow, error) {
	fields := map[string]json.RawMessage{}
	values := rows.RawValues()
	for i, f := range rows.FieldDescriptions() {
		fields[f.Name] = pgvalue.Plain(f.DataTypeOID, values[i])
	}
	key := map[string]json.RawMessage{}
	for i, f := range rows.FieldDescriptions() {
		if slices.Contains(t.key, f.Name) {
			key[f.Name] = t.keyJSON(f.Name, values[i])
		}
	}
	out := originalRow{key: envelope.NewRow(key), fields: fields}
	var err error
	out.Row, err = s.Alive(out.key, envelope.NewRow(fields))
	return out, err
}

func positionNow(ctx context.Context, tx pgx.Tx) (origin, error) {
	var at origin
	err := tx.QueryRow(ctx, sql.Postgres("cdc_position")).Scan(&at.LSN, &at.System, &at.CommittedAt)
	if err != nil {
		return origin{}, fmt.Errorf("position of the log: %w", err)
	}
	return at, nil
}

// patient runs f in a read-only transaction whose statements may take long.
func (a appTable) patient(ctx context.Context, f func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, a.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		return f(tx)
	})
}

func sanitized(table string) string { return pgx.Identifier(strings.SplitN(table, ".", 2)).Sanitize() }

// keyJSON is a column of a key as records have it: their times are numbers.
func (t liveTable) keyJSON(column string, text []byte) json.RawMessage {
	if t.millis[column] && text != nil {
		return pgvalue.AppendMillis(nil, t.oids[column], text)
	}
	return pgvalue.JSON(t.oids[column], text)
}
