package consumer

import (
	"context"
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
)

// What the log does not tell is asked of the app's table: a large value that a condition looks at, and, where
// changes of one row are in several partitions, which of them is the last. That is so where a connector keys
// records by more than what a row is kept by, and for a while after a topic grew.
//
// Of such a row every change means: look. Each writer looks again after it has written, and writes once more if
// the row has changed since. So whoever writes last has seen the row as it is, or the change that it has not
// seen is still on its way and will be looked at in turn. No two partitions need to know of each other.

// ask replaces what entries say by what the app's table says, where they are to be asked.
func (w *writer) ask(ctx context.Context, s *mapping.Source, entries []entry) error {
	var keys []string
	texts := schema.Texts{}
	for _, e := range entries {
		if e.ask {
			keys = append(keys, s.Kind.CopyKey(e.row))
			texts.Note(e.row.Keys)
		}
	}
	rows, at, err := w.current(ctx, s, keys, texts)
	if err != nil || len(keys) == 0 {
		return err
	}
	for i := range entries {
		if e := &entries[i]; e.ask {
			e.row, e.delete, e.create, e.position = rows[s.Kind.CopyKey(e.row)], false, false, at
			e.delete = e.row.Gone
		}
	}
	return nil
}

// current reads rows as they are now; one that is not there is gone.
func (w *writer) current(
	ctx context.Context, s *mapping.Source, keys []string, texts schema.Texts,
) (map[string]mapping.Row, envelope.SourcePosition, error) {
	if len(keys) == 0 {
		return nil, envelope.SourcePosition{}, nil
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	t, err := schema.OpenTable(ctx, w.pg, s)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	found, at, err := t.Lookup(ctx, keys, texts)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	rows := make(map[string]mapping.Row, len(keys))
	for _, key := range keys {
		row, ok := found[key]
		if !ok {
			row.Row = s.Kind.KeyedRow(key)
			row.Gone, row.Keys = true, texts.Of(row.ID)
		}
		rows[key] = row.Row
	}
	if err := w.admitRows(ctx, rows); err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	w.metrics.asked.WithLabelValues(w.table, "found").Add(float64(len(found)))
	w.metrics.asked.WithLabelValues(w.table, "gone").Add(float64(len(keys) - len(found)))
	return rows, at, nil
}
