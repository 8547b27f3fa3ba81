package dedup

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/window"
)

// Config bounds the memory of deduplication. What it costs is in README.md.
type Config struct {
	Window      int `koanf:"window" validate:"gte=1000,lte=100000000"` // recent ids held exactly, for each partition
	BitsPerID   int `koanf:"bits_per_id" validate:"gte=8,lte=32"`      // of the filter over all ids in the raw table
	LookupBatch int `koanf:"lookup_batch" validate:"gte=1,lte=10000"`  // ids asked for in one query
}

// DefaultConfig is the reference scale: 10M events a day.
func DefaultConfig() Config { return Config{Window: 200_000, BitsPerID: 16, LookupBatch: 1000} }

// IDs decides for every event of one Kafka partition whether it is new: by the window of recent
// ids, by the filter over all ids of the raw table, or by looking it up there. The first two are
// never wrong when they decide; only what they leave open costs a query.
type IDs struct {
	ledger *ledger.Partition
	window *dedupWindow
	filter *filter
	chunk  int // ids in one look-up
	counts Counts

	possible []possibleDuplicate
	days     []int32 // on which each of them may be, one after another
}

// Counts are figures of deduplication.
type Counts struct {
	InWindow, InTable    prometheus.Counter // duplicates, by where the first was found
	Confirmed, Dismissed prometheus.Counter // possible duplicates, by what the look-up said
	StateLookups         prometheus.Counter // reactions whose state before had to be looked up
	Fills                prometheus.Counter // times that the filter was read from the raw table
}

// dedupWindow has the latest ids, with the offset under which each was seen first.
type dedupWindow = window.Map[codec.Identity, int64]

// possibleDuplicate is an event that may be in the raw table: the filter does not exclude it.
type possibleDuplicate struct {
	row      int // its index in the batch
	id       codec.Identity
	from, to int  // its days in dedup.days
	asked    bool // the raw table has been asked
	found    bool
	offset   int64 // under which the raw table has it
}

// NewIDs makes one that knows nothing before Fill.
func NewIDs(cfg Config, l *ledger.Partition, counts Counts) *IDs {
	return &IDs{
		ledger: l, window: window.New[codec.Identity, int64](cfg.Window), filter: newFilter(cfg.BitsPerID),
		chunk:  cfg.LookupBatch,
		counts: counts,
	}
}

// Adopt goes on with what another one knew of the same partition.
func (d *IDs) Adopt(before *IDs) { d.window, d.filter = before.window, before.filter }

// ForgetRecent empties the window.
func (d *IDs) ForgetRecent() { d.window.Clear() }

// ForgetBefore drops what is known of days before one.
func (d *IDs) ForgetBefore(day int32) { d.filter.forget(day) }

// Size is how many ids the window has, and the memory of the filter.
func (d *IDs) Size() (ids, filterBytes int) { return d.window.Len(), d.filter.bytes() }

// Decide takes the duplicates of recent events out of a batch, and marks those that the raw table holds under their own
// offset. It returns the rows that stay, in the memory of the rows given. What the memory cannot decide are possible
// duplicates: see resolve.
func (d *IDs) Decide(rows []ledger.Row, present ledger.Offsets) (stay []ledger.Row, duplicates int) {
	d.possible, d.days = d.possible[:0], d.days[:0]
	stay = rows[:0]
	for i := range rows {
		r := &rows[i]
		id := r.Identity()
		if present.Has(r.Offset) {
			r.Present = true
			d.window.Add(id, r.Offset)
			stay = append(stay, *r)
			continue
		}
		// An id found under its own offset is itself, read for the second time.
		if first, seen := d.window.Find(id); seen && first != r.Offset {
			duplicates++
			d.counts.InWindow.Inc()
			continue
		}
		from := len(d.days)
		if d.days = d.filter.candidates(id.Hash(), d.days); len(d.days) > from {
			d.possible = append(d.possible, possibleDuplicate{row: len(stay), id: id, from: from, to: len(d.days)})
		}
		d.window.Add(id, r.Offset)
		stay = append(stay, *r)
	}
	clear(rows[len(stay):])
	return stay, duplicates
}

// Resolve asks the raw table for the possible duplicates and takes those that are out of the batch. After an error
// it can be called again, and goes on where it was.
func (d *IDs) Resolve(ctx context.Context, rows []ledger.Row) (stay []ledger.Row, duplicates int, err error) {
	for chunk := range slices.Chunk(d.possible, d.chunk) {
		if chunk[len(chunk)-1].asked {
			continue
		}
		if err := d.ask(ctx, chunk); err != nil {
			return rows, 0, err
		}
	}
	for _, s := range d.possible {
		if !s.found || s.offset == rows[s.row].Offset {
			d.counts.Dismissed.Inc()
			continue
		}
		d.counts.Confirmed.Inc()
		d.window.Add(s.id, s.offset)
		rows[s.row].Offset = -1
		duplicates++
	}
	if duplicates > 0 {
		rows = slices.DeleteFunc(rows, func(r ledger.Row) bool { return r.Offset < 0 })
		d.counts.InTable.Add(float64(duplicates))
	}
	d.possible = d.possible[:0]
	for i := range rows {
		r := &rows[i]
		d.filter.add(r.Day(), r.Identity().Hash())
	}
	return rows, duplicates, nil
}

// ask looks a few possible duplicates up.
func (d *IDs) ask(ctx context.Context, chunk []possibleDuplicate) error {
	ids := make([]codec.Identity, len(chunk))
	var on ledger.Days
	for i, s := range chunk {
		ids[i] = s.id
		on.Add(d.days[s.from:s.to])
	}
	found := make(map[codec.Identity]int64, len(chunk))
	if err := d.ledger.Duplicates(ctx, ids, on, found); err != nil {
		return err
	}
	for i := range chunk {
		chunk[i].offset, chunk[i].found = found[chunk[i].id]
		chunk[i].asked = true
	}
	return nil
}

// Fill reads all ids of the partition into a new filter, a day at a time: so that no query takes long,
// however many events the raw table has.
// The keys of states are in the same filter.
func (d *IDs) Fill(ctx context.Context, served bool) error {
	f := newFilter(d.filter.bitsPerID)
	var all []int32
	err := d.ledger.DaySizes(ctx, func(day int32, events int) {
		f.of(day, events+events/4)
		all = append(all, day)
	})
	if err != nil {
		return err
	}
	for _, day := range all {
		into := f.of(day, 0)
		if err := d.ledger.IDs(ctx, day, into.addAll); err != nil {
			return err
		}
		if err := d.ledger.StateKeys(ctx, day, served, into.addAll); err != nil {
			return err
		}
	}
	d.filter = f
	d.counts.Fills.Inc()
	return nil
}
