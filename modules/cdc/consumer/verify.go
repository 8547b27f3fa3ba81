package consumer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/cdc/schema"
)

// verify looks again at rows whose changes have no order, and writes those that have changed since they were
// asked for. It returns what it wrote.
func (w *writer) verify(ctx context.Context, m *merge) (written []*merge, err error) {
	keys, texts := slices.Collect(maps.Keys(m.unordered)), schema.Texts{}
	for _, key := range keys {
		texts.Note(m.rows[key].Keys)
	}
	for range verifyRounds {
		rows, at, err := w.current(ctx, m.source, keys, texts)
		if err != nil || len(keys) == 0 {
			return written, err
		}
		have, err := replica.Lookup(ctx, w.db, m.kind, keys)
		if err != nil {
			return nil, err
		}
		again := newMerge(m.source, have)
		for _, key := range keys {
			old, known := have[key]
			if row := rows[key]; !known || !replica.SameRow(old.Row, row) {
				e, stays := w.leaveOut(again, entry{
					source: m.source, row: row, position: at, ask: true, unordered: true, raise: true, delete: row.Gone,
				})
				if stays && (known || !row.Gone) {
					again.apply(e)
				}
			}
		}
		if len(again.dirty) == 0 {
			return written, nil
		}
		if err := w.insertMerge(ctx, again); err != nil {
			return nil, err
		}
		written = append(written, again)
	}
	return nil, fmt.Errorf("%s: %w", m.source.Table, errChanging)
}

// verifyRounds is how often a row is looked at after it was written; one that changes all the time is left to
// the next attempt.
const verifyRounds = 5

var errChanging = errors.New("rows change faster than they are written")
