package resync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// difference is a row that is not the same on both sides.
type difference struct {
	key      string
	texts    schema.Texts    // of the key, if its number was derived and is known
	version  replica.Version // of the copy that was seen, deleted or not; zero: there is none
	have     bool
	original *schema.AppRow // nil: the app has none
	sum      uint64         // of the app's row and its edges; zero: there is none
	edges    bool           // that is all
}

// name is the row's key as the app has it, as far as it is known.
func (d difference) name(k mapping.Kind) string {
	if !k.Layout().ByID {
		return d.key
	}
	id := core.ID(k.KeyedRow(d.key).ID)
	if key, known := id.Named(d.texts); known {
		return key.String()
	}
	return d.key
}

// fewKeys are read again at a time.
const fewKeys = 2000

// rounds is how often rows that change all the time are looked at; then they are left to the next
// comparison.
const rounds = 3

// confirm finds out which of the rows that differed have lost something. One whose row in the app's table
// changes meanwhile is looked at once more.
func (w *walk) confirm(ctx context.Context, candidates []string) error {
	for round := 0; len(candidates) > 0 && round < rounds; round++ {
		seen, err := w.differing(ctx, candidates)
		if err != nil {
			return err
		}
		if err := w.awaitInFlight(ctx, seen); err != nil {
			return err
		}
		if candidates, err = w.verify(ctx, seen); err != nil {
			return err
		}
	}
	return nil
}

// differing tells which of these rows differ, each with the hash of the app's row.
func (w *walk) differing(ctx context.Context, keys []string) (map[string]uint64, error) {
	seen := map[string]uint64{}
	for some := range slices.Chunk(keys, fewKeys) {
		found, _, err := w.differences(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			seen[d.key] = d.sum
		}
	}
	return seen, nil
}

// awaitInFlight waits until everything that was on its way when the rows were looked at is applied, for the time
// to settle at least. It forgets rows that differ no longer.
func (w *walk) awaitInFlight(ctx context.Context, seen map[string]uint64) error {
	mark, err := w.watermark(ctx)
	if err != nil {
		return err
	}
	now := w.resync.Clock.Now
	settled := now().Add(w.options.Settle)
	late := settled.Add(w.options.Drain)
	for len(seen) > 0 {
		behind, err := mark.behind(ctx)
		if err != nil {
			return err
		}
		if behind && now().After(late) {
			return fmt.Errorf("%w (waited for %s)", ErrBehind, w.options.Drain)
		}
		if !behind && !now().Before(settled) {
			return nil
		}
		if err := worker.Pause(ctx, drainPause); err != nil {
			return err
		}
		still, err := w.differing(ctx, slices.Collect(maps.Keys(seen)))
		if err != nil {
			return err
		}
		maps.DeleteFunc(seen, func(key string, _ uint64) bool { _, differs := still[key]; return !differs })
	}
	return nil
}

// verify reports the rows that differ still although the app's row is as it was seen, and returns those that
// changed.
func (w *walk) verify(ctx context.Context, seen map[string]uint64) (changed []string, err error) {
	for some := range slices.Chunk(slices.Sorted(maps.Keys(seen)), fewKeys) {
		found, at, err := w.differences(ctx, some)
		if err != nil {
			return nil, err
		}
		lasting := found[:0]
		for _, d := range found {
			if d.sum == seen[d.key] {
				lasting = append(lasting, d)
			} else {
				changed = append(changed, d.key)
			}
		}
		if err := w.report(ctx, lasting, at); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// differences reads the candidates again: ClickHouse first, then PostgreSQL.
func (w *walk) differences(ctx context.Context, keys []string) ([]difference, envelope.SourcePosition, error) {
	kind := w.source.Kind
	copies, err := replica.Lookup(ctx, w.resync.ClickHouse, kind, keys)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	edges := map[string]uint64{}
	if err := replica.LookupEdges(ctx, w.resync.ClickHouse, kind, keys,
		func(e mapping.Edge) { edges[e.Key] += w.resync.hash.edge(e) }); err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	texts, err := w.resync.named(ctx, kind, keys)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	wanted, at, err := w.table.Lookup(ctx, keys, texts)
	if err != nil {
		return nil, envelope.SourcePosition{}, err
	}
	maps.DeleteFunc(wanted, func(_ string, row schema.AppRow) bool {
		return mapping.NamesErased(w.resync.erased, kind.People(row.Row))
	})
	var found []difference
	for _, key := range keys {
		have, known := copies[key]
		want, exists := wanted[key]
		d := difference{key: key, texts: texts, version: have.Version, have: known && !have.Gone}
		var wantedEdges uint64
		if exists {
			texts.Note(want.Keys)
			d.original, d.sum = &want, w.resync.hash.whole(kind, key, want.Row)
			wantedEdges = d.sum - w.resync.hash.row(key, want.Row)
		}
		d.edges = d.have == exists && (!exists || w.resync.hash.row(key, have.Row) == w.resync.hash.row(key, want.Row))
		if !d.edges || edges[key] != wantedEdges {
			found = append(found, d)
		}
	}
	return found, at, nil
}

func (w *walk) report(ctx context.Context, found []difference, at envelope.SourcePosition) error {
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
			c.Examples = append(c.Examples, d.name(w.source.Kind))
		}
	}
	if !w.options.Repair {
		return nil
	}
	n, err := w.resync.repair(ctx, w.source, w.table, found, at)
	c.Repairs += n
	return err
}
