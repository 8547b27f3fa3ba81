package cdc

import (
	"context"
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

// buckets part the rows of a table by the hash of their key. Two tables are compared bucket by bucket:
// of each only the number of its rows and the sum of their hashes is held in memory.
const buckets = 1 << 12

type bucket struct {
	rows int64
	sum  uint64
}

type hasher struct{ seed maphash.Seed }

func (h hasher) bucket(key string) int { return int(maphash.String(h.seed, key) % buckets) }

func (h hasher) row(key string, r mapping.Row) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	_, _ = fmt.Fprintf(&m, "%s|%d|%d|%d|%t|%s", key, r.First, r.Other, orEpoch(r.CreatedAt).UnixMicro(), r.Hidden, r.Text)
	return m.Sum64()
}

// scanCopy reads all rows of a kind that ClickHouse has.
func scanCopy(ctx context.Context, db *clickhouse.Client, k mapping.Kind, each func(key string, row mapping.Row)) error {
	var (
		key, text    proto.ColStr
		first, other proto.ColInt64
		hidden       proto.ColBool
		created      proto.ColDateTime64
		name         = "cdc_scan_" + plural(k)
	)
	return db.Write(ctx, clickhouse.Query{Name: name, Query: ch.Query{ // not Read: a part that was seen must not come twice
		Body: sql.ClickHouse(name),
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

// scanOriginals reads all rows of the app's table that are of the kind, and returns the position of the
// log from which on changes are not in what was read.
func scanOriginals(ctx context.Context, conn *pgx.Conn, s *mapping.Source, t liveTable, each func(key string, row originalRow)) (origin, int, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return origin{}, 0, fmt.Errorf("scan %s: %w", s.Table, err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	table := pgx.Identifier(strings.SplitN(s.Table, ".", 2)).Sanitize()
	if _, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN ACCESS SHARE MODE"); err != nil { // see the source's snapshots
		return origin{}, 0, fmt.Errorf("scan %s: %w", s.Table, err)
	}
	at, err := positionNow(ctx, tx)
	if err != nil {
		return origin{}, 0, err
	}
	var columns []string
	for _, c := range append(s.NeededColumns(), t.key...) {
		columns = append(columns, pgx.Identifier{c}.Sanitize())
	}
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+table, pgx.QueryResultFormats{pgx.TextFormatCode})
	if err != nil {
		return origin{}, 0, fmt.Errorf("scan %s: %w", s.Table, err)
	}
	defer rows.Close()
	unreadable := 0
	for rows.Next() {
		row, err := readOriginal(rows, s, t)
		switch {
		case err != nil: // the consumer has dead-lettered it
			unreadable++
		case !row.Gone:
			each(copyKey(s.Kind, row.Row), row)
		}
	}
	if err := rows.Err(); err != nil {
		return origin{}, 0, fmt.Errorf("scan %s: %w", s.Table, err)
	}
	return at, unreadable, nil
}

func readOriginal(rows pgx.Rows, s *mapping.Source, t liveTable) (originalRow, error) {
	fields := map[string]json.RawMessage{}
	values := rows.RawValues()
	for i, f := range rows.FieldDescriptions() {
		fields[f.Name] = pgvalue.JSON(f.DataTypeOID, values[i])
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
