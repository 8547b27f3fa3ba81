package consumer

import (
	"context"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
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
