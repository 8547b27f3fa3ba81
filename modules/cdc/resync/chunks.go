package resync

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/time/rate"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/replica"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// chunk is as much of a table as is compared at a time, so that memory does not grow with the table: a
// range of the key's first columns where those are integers, which both databases order alike; else
// the rows whose key's hash falls into a slice, for which everything is read each time.
type chunk struct {
	after, upto []int64 // (after, upto]; empty: open
	slice       int
	slices      int
	last        bool
}

func (p chunk) has(h hasher, key string) bool {
	return p.slices <= 1 || int(h.key(key)%uint64(p.slices)) == p.slice
}

// cut is the columns by which a table is cut.
type cut struct {
	columns []string
	places  []int // of the columns in the text of the key, from 1; empty: the copy is ordered by id
}

// cutOf cuts by the integers that a table's key begins with.
func cutOf(ctx context.Context, t schema.AppTable) (c cut, err error) {
	c.columns, c.places, err = t.IntegerKey(ctx)
	return c, err
}

// bounds are the parameters of a scan of our copy.
func (o cut) bounds(k mapping.Kind, p chunk) map[string]any {
	if k.Layout().ByID {
		after, upto := int64(math.MinInt64), int64(math.MaxInt64)
		if len(p.after) > 0 {
			after = p.after[0]
		}
		if len(p.upto) > 0 {
			upto = p.upto[0]
		}
		return map[string]any{"after": after, "upto": upto}
	}
	upto := p.upto
	if len(upto) == 0 {
		upto = slices.Repeat([]int64{math.MaxInt64}, len(o.columns))
	}
	return map[string]any{"places": o.places, "after": p.after, "upto": upto}
}

// where is a range as a condition of PostgreSQL; what it compares with are numbers.
func (o cut) where(p chunk) string {
	var parts []string
	columns := make([]string, len(o.columns))
	for i, c := range o.columns {
		columns[i] = pgx.Identifier{c}.Sanitize()
	}
	if len(p.after) > 0 {
		parts = append(parts, fmt.Sprintf("(%s) > (%s)", strings.Join(columns, ", "), numbers(p.after)))
	}
	if len(p.upto) > 0 {
		parts = append(parts, fmt.Sprintf("(%s) <= (%s)", strings.Join(columns, ", "), numbers(p.upto)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

func numbers[N int | int64](all []N) string {
	text := make([]string, len(all))
	for i, n := range all {
		text[i] = fmt.Sprint(n)
	}
	return strings.Join(text, ", ")
}

// walk is the comparison of one kind.
type walk struct {
	resync  *Resync
	table   schema.AppTable
	source  *mapping.Source
	cut     cut
	options Options
	found   *Comparison
	pace    *rate.Limiter
	about   int64
	copies  time.Duration // that reading the copies of the chunk took ClickHouse
}

// idleFactor is how long ClickHouse is left to others after a chunk, in times of what it took: a comparison
// that keeps a pace takes it a quarter of the time, since each chunk is a full scan of the copies.
const idleFactor = 3

// idle pauses after a chunk.
func (w *walk) idle(ctx context.Context) error {
	if w.options.RowsPerSecond <= 0 {
		return nil
	}
	return worker.Pause(ctx, idleFactor*w.copies)
}

// next is the chunk that follows a checkpoint; more is false when there is none.
func (w *walk) next(ctx context.Context, at *checkpoint) (p chunk, more bool, err error) {
	if at.Last {
		return chunk{}, false, nil
	}
	if len(w.cut.columns) == 0 {
		n := int(w.about/w.resync.Config.ChunkRows) + 1
		return chunk{slice: at.Slice, slices: n, last: at.Slice+1 >= n}, true, nil
	}
	p = chunk{after: at.After}
	// the last row of the chunk
	upto, more, err := w.table.NthKey(ctx, w.cut.columns, w.cut.where(p), w.resync.Config.ChunkRows)
	if err != nil {
		return chunk{}, false, err
	}
	p.upto, p.last = upto, !more
	return p, true, nil
}

// compare finds the rows of a chunk that differ, and after a while those that still do.
func (w *walk) compare(ctx context.Context, p chunk) error {
	kind := w.source.Kind
	sums := map[string]uint64{}
	watch := core.StartStopwatch()
	if err := replica.ScanRows(ctx, w.resync.ClickHouse, kind, w.cut.bounds(kind, p),
		func(key string, row mapping.Row) {
			if p.has(w.resync.hash, key) {
				sums[key] += w.resync.hash.row(key, row)
			}
		}); err != nil {
		return err
	}
	if err := replica.ScanEdges(ctx, w.resync.ClickHouse, kind, w.cut.bounds(kind, p), func(e mapping.Edge) {
		if p.has(w.resync.hash, e.Key) {
			sums[e.Key] += w.resync.hash.edge(e)
		}
	}); err != nil {
		return err
	}
	w.copies = watch.Elapsed()
	var differ []keyedRow
	each := func(key string, row schema.AppRow) {
		if !p.has(w.resync.hash, key) {
			return
		}
		w.found.Rows++
		if sum, ok := sums[key]; !ok || sum != w.resync.hash.whole(kind, key, row.Row) {
			differ = append(differ, keyedRow{key, row.Keys})
		}
		delete(sums, key)
	}
	unreadable, err := w.scan(ctx, w.cut.where(p), each)
	if err != nil {
		return err
	}
	if p.slice == 0 {
		w.found.Unreadable += unreadable
	}
	candidates, err := w.withoutRefused(ctx, differ)
	if err != nil {
		return err
	}
	for key := range sums {
		candidates = append(candidates, key)
	}
	return w.confirm(ctx, candidates)
}

// keyedRow is a row of the app's, by its key in our copy, with the keys in it that are no numbers of their own.
type keyedRow struct {
	key  string
	keys []core.Key
}

// withoutRefused are the keys of rows but for those that name a key whose number is another's. These are counted: they
// were made dead letters when they were written, and a repair would be one more, each time.
func (w *walk) withoutRefused(ctx context.Context, rows []keyedRow) (left []string, err error) {
	var keys []core.Key
	for _, row := range rows {
		keys = append(keys, row.keys...)
	}
	refused, err := w.resync.refused(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if _, is := refused.First(row.keys...); is {
			w.found.Refused++
			continue
		}
		left = append(left, row.key)
	}
	return left, nil
}

// scan reads the app's rows that are of the kind, at the pace, and counts those that cannot be read.
func (w *walk) scan(ctx context.Context, where string, each func(key string, row schema.AppRow)) (unreadable int,
	err error,
) {
	read := int64(0)
	return w.table.Scan(ctx, where, func(key string, row schema.AppRow) error {
		if mapping.NamesErased(w.resync.erased, w.source.Kind.People(row.Row)) { // whose rows are none
			return nil
		}
		each(key, row)
		if read++; read%progressRows != 0 {
			return nil
		}
		if w.options.Rows != nil {
			w.options.Rows(w.source.Table, progressRows, w.about)
		}
		return w.pace.WaitN(ctx, progressRows)
	})
}
