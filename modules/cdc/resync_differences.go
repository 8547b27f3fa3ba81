package cdc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// difference is a row that is not the same on both sides.
type difference struct {
	key      string
	version  uint64 // of the copy that was seen, deleted or not; zero: there is none
	have     bool
	original *originalRow // nil: the app has none
	edges    bool         // that is all
}

// fewKeys are read again at a time.
const fewKeys = 2000

// settle looks at rows that differed until none does any more, or for as long as a difference must last.
func (w *walk) settle(ctx context.Context, candidates []string) error {
	deadline := time.Now().Add(w.options.Settle)
	for len(candidates) > 0 {
		final := !time.Now().Before(deadline)
		var still []string
		for keys := range slices.Chunk(candidates, fewKeys) {
			found, at, err := w.differences(ctx, keys)
			if err != nil {
				return err
			}
			for _, d := range found {
				still = append(still, d.key)
			}
			if final {
				if err := w.report(ctx, found, at); err != nil {
					return err
				}
			}
		}
		if final {
			return nil
		}
		candidates = still
		if err := pauseFor(ctx, min(500*time.Millisecond, time.Until(deadline))); err != nil {
			return err
		}
	}
	return nil
}

// differences reads the candidates again: ClickHouse first, then PostgreSQL.
func (w *walk) differences(ctx context.Context, keys []string) ([]difference, origin, error) {
	kind := w.source.Kind
	copies, err := lookup(ctx, w.db, kind, keys)
	if err != nil {
		return nil, origin{}, err
	}
	edges := map[string]uint64{}
	if err := scanEdges(ctx, w.db, kind, "cdc_stored_edges", map[string]any{"keys": textList(keys)}, func(e edge) { edges[e.key] += w.hash.edge(e) }); err != nil {
		return nil, origin{}, err
	}
	wanted, at, err := w.originals(ctx, keys)
	if err != nil {
		return nil, origin{}, err
	}
	var found []difference
	for _, key := range keys {
		have, known := copies[key]
		want, exists := wanted[key]
		d := difference{key: key, version: have.Version, have: known && !have.Gone}
		var wantedEdges uint64
		if exists {
			d.original = &want
			wantedEdges = w.hash.whole(kind, key, want.Row) - w.hash.row(key, want.Row)
		}
		d.edges = d.have == exists && (!exists || w.hash.row(key, have.Row) == w.hash.row(key, want.Row))
		if !d.edges || edges[key] != wantedEdges {
			found = append(found, d)
		}
	}
	return found, at, nil
}

// textList is an array of keys, which hold nothing that needs escaping.
func textList(keys []string) string { return "['" + strings.Join(keys, "','") + "']" }

// originals reads the app's rows with these keys, as of a position of the log that it returns.
func (w *walk) originals(ctx context.Context, keys []string) (map[string]originalRow, origin, error) {
	wanted := make(map[string]originalRow, len(keys))
	asked := make(map[string]bool, len(keys))
	for _, key := range keys {
		asked[key] = true
	}
	condition, args, err := w.byKeys(keys)
	if err != nil {
		return nil, origin{}, err
	}
	var at origin
	err = w.patient(ctx, func(tx pgx.Tx) error {
		// See the source's snapshots: a truncate is then wholly before the position, or after us.
		if _, err := tx.Exec(ctx, "LOCK TABLE "+sanitized(w.source.Table)+" IN ACCESS SHARE MODE"); err != nil {
			return err
		}
		if at, err = positionNow(ctx, tx); err != nil {
			return err
		}
		_, err := w.read(ctx, tx, condition, args, func(key string, row originalRow) error {
			if asked[key] {
				wanted[key] = row
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, origin{}, fmt.Errorf("read %s: %w", w.source.Table, err)
	}
	return wanted, at, nil
}

// byKeys is the condition for rows with these keys; empty where a key's text is not PostgreSQL's own, so
// that every row must be looked at.
func (w *walk) byKeys(keys []string) (string, []any, error) {
	columns := w.table.key
	if id := w.source.IDColumn(); id != "" {
		columns = []string{id}
	}
	values := map[string][]string{}
	for _, key := range keys {
		parts, err := w.table.keyValues(w.source, key)
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
		switch w.table.oids[c] {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.UUIDOID, pgtype.TextOID, pgtype.VarcharOID:
		default:
			return "", nil, nil
		}
		names = append(names, pgx.Identifier{c}.Sanitize())
		arrays = append(arrays, fmt.Sprintf("$%d::text[]::%s[]", i+1, w.table.types[c]))
		args = append(args, values[c])
	}
	return fmt.Sprintf(" WHERE (%s) IN (SELECT * FROM unnest(%s))", strings.Join(names, ", "), strings.Join(arrays, ", ")), args, nil
}

func (w *walk) report(ctx context.Context, found []difference, at origin) error {
	c := w.found
	for _, d := range found {
		switch {
		case d.edges:
			c.Edges++
		case !d.have:
			c.Missing++
		case d.original == nil:
			c.TooMany++
		default:
			c.Wrong++
		}
		if len(c.Examples) < 10 {
			c.Examples = append(c.Examples, d.key)
		}
	}
	if !w.options.Repair {
		return nil
	}
	n, err := w.repair(ctx, w.source, w.table, found, at)
	c.Repairs += n
	return err
}
