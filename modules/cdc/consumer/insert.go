package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// merge works the batches' changes out, kind by kind, each partition's in its order.
func (w *writer) merge(ctx context.Context, jobs []*job) ([]*merge, error) {
	var merges []*merge
	for _, s := range w.sources {
		var entries []entry
		for _, j := range jobs {
			for _, e := range j.batch.entries {
				if e.source == s {
					entries = append(entries, e)
				}
			}
		}
		if len(entries) == 0 {
			continue
		}
		if err := w.ask(ctx, s, entries); err != nil {
			return nil, err
		}
		stored, err := w.lookup(ctx, s.Kind, entries)
		if err != nil {
			return nil, err
		}
		merges = append(merges, w.mergeKind(s, entries, stored))
	}
	return merges, nil
}

func (w *writer) mergeKind(s *mapping.Source, entries []entry, stored map[string]replica.Row) *merge {
	m := newMerge(s, stored)
	for _, e := range entries {
		e, stays := w.leaveOut(m, e)
		if !stays {
			continue
		}
		if w.tombstones.Truncated(e.position) {
			w.metrics.truncated.WithLabelValues(w.table).Inc()
			e.row.Gone, e.truncated = true, true
		}
		m.apply(e)
	}
	return m
}

// lookup reads what ClickHouse has of the rows that cannot be merged without.
func (w *writer) lookup(ctx context.Context, k mapping.Kind, entries []entry) (map[string]replica.Row, error) {
	asked := map[string]bool{}
	var keys []string
	for _, e := range entries {
		key := k.CopyKey(e.row)
		if first := w.newKeys[k].first(key); (e.needsStored() || w.names(e)) && !first && !asked[key] {
			asked[key] = true
			keys = append(keys, key)
		}
	}
	return replica.Lookup(ctx, w.db, k, keys)
}

// insert writes what was merged, and looks again at rows whose changes have no order. It returns all that was written.
func (w *writer) insert(ctx context.Context, merges []*merge) ([]*merge, error) {
	for _, m := range merges {
		if err := w.insertMerge(ctx, m); err != nil {
			return nil, err
		}
	}
	all := merges
	for _, m := range merges {
		more, err := w.verify(ctx, m)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (w *writer) insertMerge(ctx context.Context, m *merge) error {
	for _, rows := range m.vacated { // first: who finds the rows need not look for what they left
		if err := w.insertRows(ctx, m.kind, rows, nil); err != nil {
			return err
		}
	}
	return w.insertRows(ctx, m.kind, m.written(), m.writtenEdges())
}

func (w *writer) insertRows(ctx context.Context, k mapping.Kind, rows []replica.Row, edges []replica.Edge) error {
	err := replica.Write(ctx, w.db, k, rows, edges, func(table string, n int) {
		w.metrics.rows.WithLabelValues(table).Add(float64(n))
	})
	if clickhouse.IsRefusedByConstraint(err) { // somebody was erased meanwhile: the next attempt leaves them out
		err = errors.Join(err, w.erased.Refresh(ctx))
	}
	if err != nil {
		return fmt.Errorf("insert changes of %s: %w", w.topic, err)
	}
	return nil
}
