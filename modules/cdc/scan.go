package cdc

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/pgvalue"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// hasher hashes keys and rows, differently in each process.
type hasher struct{ seed maphash.Seed }

func (h hasher) key(key string) uint64 { return maphash.String(h.seed, key) }

func (h hasher) row(key string, r mapping.Row) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	var b [26]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(r.First)) //nolint:gosec // all its bits
	binary.LittleEndian.PutUint64(b[8:], uint64(r.Other)) //nolint:gosec // as above
	binary.LittleEndian.PutUint64(b[16:], uint64(orEpoch(r.CreatedAt).UnixMicro()))
	b[24] = flag(r.Hidden)
	_, _ = m.Write(b[:]) // a hash takes everything
	_, _ = m.WriteString(key)
	_ = m.WriteByte(0)
	_, _ = m.WriteString(r.Text)
	return m.Sum64()
}

// scanCopy reads the rows of a kind that ClickHouse has within bounds.
func scanCopy(ctx context.Context, db *clickhouse.Client, k mapping.Kind, bounds map[string]any, each func(key string, row mapping.Row)) error {
	var (
		key, text    proto.ColStr
		first, other proto.ColInt64
		hidden       proto.ColBool
		created      proto.ColDateTime64
		name         = "cdc_scan_" + plural(k)
	)
	return db.Write(ctx, clickhouse.Query{Name: name, Query: ch.Query{ // not Read: a part that was seen must not come twice
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(bounds),
		Result: proto.Results{
			{Name: "row_key", Data: &key},
			{Name: "first", Data: &first},
			{Name: "other", Data: &other},
			{Name: "text", Data: &text},
			{Name: "hidden", Data: &hidden},
			{Name: "created_at", Data: &created},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				each(key.Row(i), mapping.Row{
					First: first.Row(i), Other: other.Row(i), Text: text.Row(i), Hidden: hidden.Row(i), CreatedAt: created.Row(i).UTC(),
				})
			}
			return nil
		},
	}})
}

// originalRow is a row of the app, as it was read and as the mapping sees it.
type originalRow struct {
	mapping.Row
	key    envelope.Row
	fields map[string]json.RawMessage
}

// scan reads the app's rows that are of the kind, at the pace, and counts those that cannot be read.
func (w *walk) scan(ctx context.Context, where string, each func(key string, row originalRow)) (unreadable int, err error) {
	read := int64(0)
	err = w.patient(ctx, func(tx pgx.Tx) error {
		unreadable, err = w.read(ctx, tx, where, nil, func(key string, row originalRow) error {
			each(key, row)
			if read++; read%progressRows != 0 {
				return nil
			}
			if w.options.Rows != nil {
				w.options.Rows(w.source.Table, progressRows, w.about)
			}
			return w.pace.WaitN(ctx, progressRows)
		})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("scan %s: %w", w.source.Table, err)
	}
	return unreadable, nil
}

func (w *walk) read(ctx context.Context, tx pgx.Tx, where string, args []any, each func(key string, row originalRow) error) (unreadable int, err error) {
	var columns []string
	for _, c := range append(w.source.NeededColumns(), w.table.key...) {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + sanitized(w.source.Table) + where
	rows, err := tx.Query(ctx, query, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := readOriginal(rows, w.source, w.table)
		switch {
		case err != nil: // the consumer has dead-lettered it
			unreadable++
		case !row.Gone && !namesErased(w.erased, w.source.Kind.People(row.Row)):
			if err := each(copyKey(w.source.Kind, row.Row), row); err != nil {
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
	for _, c := range t.key {
		key[c] = fields[c]
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
