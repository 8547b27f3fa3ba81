package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

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
