package consumer

import (
	"context"

	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/core"
)

// truncate reads the tombstones again, since another partition may have met a truncate while we wrote, and deletes
// what was just written if one is new. Then it applies those that the batches end with.
func (w *writer) truncate(ctx context.Context, jobs []*job, merges []*merge) (changes []core.Change, err error) {
	if len(merges) > 0 {
		tombstones, err := replica.ReadTombstones(ctx, w.db, w.topic)
		if err != nil {
			return nil, err
		}
		for _, m := range merges {
			rows, edges := m.applyTruncates(tombstones)
			if err := w.insertRows(ctx, m.kind, rows, edges); err != nil {
				return nil, err
			}
		}
		w.tombstones = tombstones
	}
	for _, j := range jobs {
		if t := j.batch.truncate; t != nil {
			if err := replica.ApplyTruncate(ctx, w.db, w.topic, w.sources, *t, w.clock.Now()); err != nil {
				return nil, err
			}
			w.tombstones = w.tombstones.Add(*t)
			changes = append(changes, core.Change{Kind: core.TableCleared, CommittedAt: t.CommittedAt})
		}
	}
	return changes, nil
}
