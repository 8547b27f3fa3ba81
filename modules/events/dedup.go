package events

import (
	"context"
	"slices"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// dedup decides for every event of one Kafka partition whether it is new: by the window of recent
// ids, by the filter over all ids of the raw table, or by looking it up there. The first two are
// never wrong when they decide; only what they leave open costs a query.
type dedup struct {
	ledger  *ledger
	window  *recent
	filter  *filter
	chunk   int // ids in one look-up
	metrics *partitionMetrics

	suspects []suspect
	days     []int32 // the suspects' days, one after another
}

// suspect is an event that may be in the raw table: the filter does not exclude it.
type suspect struct {
	row      int // its index in the batch
	id       identity
	from, to int  // its days in dedup.days
	asked    bool // the raw table has been asked
	found    bool
	offset   int64 // under which the raw table has it
}

func newDedup(cfg Dedup, l *ledger, m *partitionMetrics) *dedup {
	return &dedup{ledger: l, window: newRecent(cfg.Window), filter: newFilter(cfg.BitsPerID), chunk: cfg.LookupBatch, metrics: m}
}

// decide takes the copies of recent events out of the batch, and marks those that the raw table holds
// under their own offset. What the memory cannot decide are suspects: see resolve.
func (d *dedup) decide(b *batch, present offsets) {
	d.suspects, d.days = d.suspects[:0], d.days[:0]
	keep := b.rows[:0]
	for i := range b.rows {
		r := &b.rows[i]
		id := identity{r.user, r.id}
		if present.has(r.offset) {
			r.present = true
			d.window.add(id, r.offset)
			keep = append(keep, *r)
			continue
		}
		// An id found under its own offset is itself, read for the second time.
		if first, seen := d.window.find(id); seen && first != r.offset {
			b.duplicates++
			d.metrics.duplicates.window.Inc()
			continue
		}
		from := len(d.days)
		if d.days = d.filter.candidates(id.hash(), d.days); len(d.days) > from {
			d.suspects = append(d.suspects, suspect{row: len(keep), id: id, from: from, to: len(d.days)})
		}
		d.window.add(id, r.offset)
		keep = append(keep, *r)
	}
	clear(b.rows[len(keep):])
	b.rows = keep
}

// resolve asks the raw table for the suspects and takes the copies out of the batch. After an error
// it can be called again, and goes on where it was.
func (d *dedup) resolve(ctx context.Context, b *batch) error {
	for chunk := range slices.Chunk(d.suspects, d.chunk) {
		if chunk[len(chunk)-1].asked {
			continue
		}
		if err := d.ask(ctx, chunk); err != nil {
			return err
		}
	}
	copies := 0
	for _, s := range d.suspects {
		if !s.found || s.offset == b.rows[s.row].offset {
			d.metrics.falseSuspects.Inc()
			continue
		}
		d.metrics.trueSuspects.Inc()
		d.window.add(s.id, s.offset)
		b.rows[s.row].offset = -1
		copies++
	}
	if copies > 0 {
		b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.offset < 0 })
		b.duplicates += uint64(copies)
		d.metrics.duplicates.table.Add(float64(copies))
	}
	d.suspects = d.suspects[:0]
	for i := range b.rows {
		r := &b.rows[i]
		d.filter.add(r.day(), identity{r.user, r.id}.hash())
	}
	return nil
}

// ask looks a few suspects up.
func (d *dedup) ask(ctx context.Context, chunk []suspect) error {
	var ids idArray
	var days dateArray
	for _, s := range chunk {
		ids.add(s.id)
		days.add(d.days[s.from:s.to])
	}
	found := make(map[identity]int64, len(chunk))
	if err := d.ledger.copies(ctx, ids, days, found); err != nil {
		return err
	}
	for i := range chunk {
		chunk[i].offset, chunk[i].found = found[chunk[i].id]
		chunk[i].asked = true
	}
	return nil
}

// fill reads all ids of the partition into a new filter, a day at a time: so that no query takes long,
// however many events the raw table has.
// The keys of states stand in the same filter.
func (d *dedup) fill(ctx context.Context, served bool) error {
	f := newFilter(d.filter.bitsPerID)
	var days []int32
	err := d.ledger.days(ctx, func(day int32, events int) {
		f.of(day, events+events/4)
		days = append(days, day)
	})
	if err != nil {
		return err
	}
	for _, day := range days {
		into := f.of(day, 0)
		if err := d.ledger.ids(ctx, day, into.addAll); err != nil {
			return err
		}
		if err := d.ledger.fillStates(ctx, day, served, into.addAll); err != nil {
			return err
		}
	}
	d.filter = f
	d.metrics.fills.Inc()
	return nil
}

// copies finds which of these events the raw table has, and under which offset; -1 stands for one of
// an earlier epoch.
func (l *ledger) copies(ctx context.Context, ids idArray, days dateArray, found map[identity]int64) error {
	var user, offset proto.ColInt64
	var id proto.ColUUID
	var epoch proto.ColUInt16
	return l.read(ctx, "copies", ch.Query{
		Parameters: l.grouping(ids.parameter("ids"), days.parameter("days")),
		Result: proto.Results{
			{Name: "user_id", Data: &user}, {Name: "event_id", Data: &id}, {Name: "epoch", Data: &epoch}, {Name: "kafka_offset", Data: &offset},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				at := offset.Row(i)
				if epoch.Row(i) != l.epoch {
					at = -1
				}
				found[identity{core.ID(user.Row(i)), core.EventID(id.Row(i))}] = at
			}
			return nil
		},
	})
}

// days tells how many events the partition has of each day.
func (l *ledger) days(ctx context.Context, each func(day int32, events int)) error {
	var day proto.ColDate
	var events proto.ColUInt64
	return l.read(ctx, "days", ch.Query{
		Parameters: l.grouping(),
		Result:     proto.Results{{Name: "day", Data: &day}, {Name: "events", Data: &events}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range day {
				each(int32(day[i]), int(events.Row(i))) //nolint:gosec // no table has more rows
			}
			return nil
		},
	})
}

// ids tells the hashes of every event of the partition that occurred on a day, many at a time.
func (l *ledger) ids(ctx context.Context, day int32, each func(hashes []uint64)) error {
	var user proto.ColInt64
	var id proto.ColUUID
	var hashes []uint64
	return l.read(ctx, "ids", ch.Query{
		Parameters: l.grouping(clickhouse.Param("day", dateText(day))),
		Settings:   clickhouse.Background,
		Result:     proto.Results{{Name: "user_id", Data: &user}, {Name: "event_id", Data: &id}},
		OnResult: func(context.Context, proto.Block) error {
			hashes = hashes[:0]
			for i := range user {
				hashes = append(hashes, identity{core.ID(user[i]), core.EventID(id[i])}.hash())
			}
			each(hashes)
			return nil
		},
	})
}
