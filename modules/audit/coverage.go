package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// log is one Kafka partition of one epoch, as far as it was applied.
type log struct {
	epoch, partition uint16
	before           int64 // the last offset applied before the audited time; -1 if there is none
	newest           int64 // the last offset applied when the audit began
}

// offsetRange is a range of offsets, as the ledger has it.
type offsetRange struct {
	first, last int64
	rows        uint64
	others      uint64 // duplicates, dead letters, what names erased people, and what never was
	erased      uint64 // of others, what names erased people
	applied     int64  // seconds since 1970
	overlaps    bool
}

func (e offsetRange) String() string { return fmt.Sprintf("offsets %d to %d", e.first, e.last) }

// A piece of a log is looked at in one go: its size bounds our memory and the server's.
const (
	pieceRanges = 20_000
	pieceRows   = 2_000_000
)

// coverage looks at the ranges of every log: do they follow each other, is every record accounted for,
// and are the rows there, each once?
func (a *Auditor) coverage(ctx context.Context, r *Report) error {
	logs, err := a.logs(ctx, r.From)
	if err != nil {
		return err
	}
	// Rows of a range may be of events that had long occurred when they came: only where those are
	// still kept can the rows be counted.
	complete := a.owners.Complete().Add(a.owners.Lateness())
	for _, l := range logs {
		if err := a.walk(ctx, r, l, complete); err != nil {
			return fmt.Errorf("epoch %d, partition %d: %w", l.epoch, l.partition, err)
		}
	}
	return nil
}

func (a *Auditor) logs(ctx context.Context, from time.Time) (all []log, err error) {
	var epoch, partition proto.ColUInt16
	var before, newest proto.ColInt64
	var earlier proto.ColUInt64
	err = a.ask(ctx, "audit_logs", proto.Results{
		{Name: "epoch", Data: &epoch},
		{Name: "kafka_partition", Data: &partition},
		{Name: "before", Data: &before},
		{Name: "earlier", Data: &earlier},
		{Name: "newest", Data: &newest},
	}, func() {
		for i := range epoch {
			l := log{epoch: epoch[i], partition: partition[i], before: -1, newest: newest[i]}
			if earlier[i] > 0 {
				l.before = before[i]
			}
			all = append(all, l)
		}
	}, clickhouse.Param("from", from.Unix()))
	return all, err
}

// walk goes through a log piece by piece.
func (a *Auditor) walk(ctx context.Context, r *Report, l log, complete time.Time) error {
	last := offsetRange{first: l.before, last: l.before}
	expected := l.before + 1
	known := l.before >= 0 // where the first range begins is Kafka's to say
	for {
		piece, err := a.ranges(ctx, l, last)
		if err != nil || len(piece) == 0 {
			return err
		}
		r.Checked.Ranges += uint64(len(piece))
		if !known {
			expected, known = piece[0].first, true
		}
		begin := expected
		for i := range piece {
			e := &piece[i]
			l.compare(r, e, expected)
			expected = max(expected, e.last+1)
		}
		last = piece[len(piece)-1]
		if oldest := time.Unix(piece[0].applied, 0); !oldest.Before(complete) {
			if err := a.rows(ctx, r, l, piece, begin, last.last); err != nil {
				return err
			}
		}
	}
}

// compare holds a range against where it should begin, and against itself.
func (l log) compare(r *Report, e *offsetRange, expected int64) {
	switch {
	case e.first > expected:
		gap := offsetRange{first: expected, last: e.first - 1}
		r.add(l.finding(RangeGap, gap.String(), gap.records(), "no range covers them"))
	case e.first < expected:
		e.overlaps = true
		both := offsetRange{first: e.first, last: min(e.last, expected-1)}
		r.add(l.finding(RangeOverlap, both.String(), both.records(), "more than one range covers them"))
	}
	if n := e.records(); e.rows+e.others != n {
		r.add(l.finding(RangeSum, e.String(), n, fmt.Sprintf("%d records, of which %d are accounted for", n,
			e.rows+e.others)))
	}
}

// rowsAnd says what was found of the rows of a range.
func (e offsetRange) rowsAnd(found, removed uint64) string {
	s := fmt.Sprintf("%d rows were written, the raw table has %d", e.rows, found)
	if removed > 0 {
		s += fmt.Sprintf("; %d were erased", removed)
	}
	return s
}

// records is how many offsets there are; none in a range that ends before it begins.
func (e offsetRange) records() uint64 { return uint64(max(0, e.last-e.first+1)) }

func (l log) finding(kind Kind, where string, count uint64, detail string) Finding {
	return Finding{Kind: kind, Epoch: l.epoch, Partition: l.partition, Where: where, Count: count, Detail: detail}
}

// ranges are those behind one, as many as make a piece.
func (a *Auditor) ranges(ctx context.Context, l log, behind offsetRange) (all []offsetRange, err error) {
	var first, last, applied proto.ColInt64
	var rows, others, erased proto.ColUInt64
	err = a.ask(ctx, "audit_ranges", proto.Results{
		{Name: "first_offset", Data: &first},
		{Name: "last_offset", Data: &last},
		{Name: "rows", Data: &rows},
		{Name: "others", Data: &others},
		{Name: "erased", Data: &erased},
		{Name: "applied", Data: &applied},
	}, func() {
		for i := range first {
			all = append(all, offsetRange{
				first: first[i], last: last[i], rows: rows[i], others: others[i],
				erased: erased[i], applied: applied[i],
			})
		}
	}, clickhouse.Param("epoch", l.epoch), clickhouse.Param("partition", l.partition),
		clickhouse.Param("first", behind.first), clickhouse.Param("last", behind.last),
		clickhouse.Param("newest", l.newest), clickhouse.Param("limit", pieceRanges))
	total := uint64(0)
	for i := range all {
		if total += all[i].rows; total > pieceRows && i > 0 {
			return all[:i], err
		}
	}
	return all, err
}

// rows compares the rows of a piece with what its ranges say.
func (a *Auditor) rows(ctx context.Context, r *Report, l log, piece []offsetRange, first, last int64) error {
	at := []clickhouse.Parameter{
		clickhouse.Param("epoch", l.epoch), clickhouse.Param("partition", l.partition),
		clickhouse.Param("first", first), clickhouse.Param("last", last),
	}
	var total, distinct, erased proto.ColUInt64
	err := a.ask(ctx, "audit_rows", proto.Results{
		{Name: "total", Data: &total}, {Name: "distinct_offsets", Data: &distinct}, {Name: "erased", Data: &erased},
	}, func() {}, at...)
	if err != nil {
		return err
	}
	r.Checked.Rows += total.Row(0)
	if total.Row(0) != distinct.Row(0) {
		example, n, err := a.example(ctx, "audit_offsets_twice", at...)
		if err != nil {
			return err
		}
		r.add(l.finding(OffsetTwice, "offset "+example, n, "the raw table has more than one row of it"))
	}
	said := uint64(0)
	for _, e := range piece {
		said += e.rows
	}
	if said == distinct.Row(0)+erased.Row(0) {
		return nil
	}
	return a.miscounted(ctx, r, l, piece, at)
}

// miscounted finds out which ranges of a piece do not have the rows they should.
func (a *Auditor) miscounted(
	ctx context.Context, r *Report, l log, piece []offsetRange, at []clickhouse.Parameter,
) error {
	found, removed := make([]uint64, len(piece)), make([]uint64, len(piece))
	var column proto.ColInt64
	var erased proto.ColUInt8
	err := a.ask(ctx, "audit_offsets", proto.Results{
		{Name: "kafka_offset", Data: &column},
		{Name: "erased", Data: &erased},
	}, func() {
		for n, offset := range column {
			i, exact := slices.BinarySearchFunc(piece, offset,
				func(e offsetRange, offset int64) int { return int(e.last - offset) })
			switch {
			case !exact && (i == len(piece) || piece[i].first > offset):
			case erased[n] == 0:
				found[i]++
			default:
				removed[i]++
			}
		}
	}, at...)
	if err != nil {
		return err
	}
	for i, e := range piece {
		beside := i+1 < len(piece) && piece[i+1].overlaps
		switch {
		case e.overlaps || beside: // named already, and whose rows these are cannot be told
		case found[i]+removed[i] < e.rows:
			r.add(l.finding(RawMissing, e.String(), e.rows-found[i]-removed[i], e.rowsAnd(found[i], removed[i])))
		case found[i]+removed[i]-min(removed[i], e.erased) > e.rows:
			// What was inserted, erased, and read again by an owner who left it out, is both removed and left out.
			r.add(l.finding(RawSurplus, e.String(), found[i]+removed[i]-min(removed[i], e.erased)-e.rows,
				e.rowsAnd(found[i], removed[i])))
		}
	}
	return nil
}

// eventsTwice looks for events that stand in the raw table twice, whatever the days of the copies.
func (a *Auditor) eventsTwice(ctx context.Context, r *Report, partition uint16, from time.Time) error {
	example, n, err := a.example(ctx, "audit_events_twice", clickhouse.Param("partition", partition),
		clickhouse.Param("first", from.Format(time.DateOnly)),
		clickhouse.Param("last", r.StartedAt.AddDate(0, 0, 1).Format(time.DateOnly)))
	if err == nil && n > 0 {
		r.add(Finding{
			Kind: EventTwice, Partition: partition, Where: example, Count: n,
			Detail: "the raw table has more than one row of it",
		})
	}
	return err
}

// example is the first of what a query found, and how many there are.
func (a *Auditor) example(ctx context.Context, name string, params ...clickhouse.Parameter) (which string, n uint64,
	err error,
) {
	var text proto.ColStr
	var total proto.ColUInt64
	err = a.ask(ctx, name, proto.Results{{Name: "which", Data: &text}, {Name: "total", Data: &total}}, func() {
		if text.Rows() > 0 {
			which, n = text.Row(0), total.Row(0)
		}
	}, params...)
	return which, n, err
}
