package cdc

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
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
	return m.Sum64()
}

// scanCopy reads the rows of a kind that ClickHouse has within bounds.
func scanCopy(ctx context.Context, db *clickhouse.Client, k mapping.Kind, bounds map[string]any, each func(key string, row mapping.Row)) error {
	var (
		key          proto.ColStr
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
			{Name: "hidden", Data: &hidden},
			{Name: "created_at", Data: &created},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				each(key.Row(i), mapping.Row{
					First: first.Row(i), Other: other.Row(i), Hidden: hidden.Row(i), CreatedAt: created.Row(i).UTC(),
				})
			}
			return nil
		},
	}})
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
