package ledger

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// OffsetRange is a range of offsets and what became of them.
type OffsetRange struct {
	First, Last                                   int64
	Rows, Duplicates, Dead, Missing, Lost, Erased uint64
}

// rangeColumns are range rows as ClickHouse takes them.
type rangeColumns struct {
	epoch, partition                      proto.ColUInt16
	first, last                           proto.ColInt64
	rows, duplicates, dead, missing, lost proto.ColUInt64
	erased                                proto.ColUInt64
	number, token                         proto.ColUInt64
	at                                    proto.ColDateTime64
	in                                    proto.Input
}

func newRangeColumns() *rangeColumns {
	c := &rangeColumns{}
	c.at.WithPrecision(proto.PrecisionMilli)
	c.in = proto.Input{
		{Name: "epoch", Data: &c.epoch},
		{Name: "kafka_partition", Data: &c.partition},
		{Name: "first_offset", Data: &c.first},
		{Name: "last_offset", Data: &c.last},
		{Name: "rows", Data: &c.rows},
		{Name: "duplicates", Data: &c.duplicates},
		{Name: "dead_letters", Data: &c.dead},
		{Name: "missing", Data: &c.missing},
		{Name: "lost", Data: &c.lost},
		{Name: "erased", Data: &c.erased},
		{Name: "fence", Data: &c.number},
		{Name: "token", Data: &c.token},
		{Name: "applied_at", Data: &c.at},
	}
	return c
}

func (c *rangeColumns) reset() { c.in.Reset() }

func (c *rangeColumns) input() proto.Input { return c.in }

func (c *rangeColumns) append(e OffsetRange, f Fence, now time.Time) {
	c.epoch.Append(f.epoch())
	c.partition.Append(f.partition())
	c.first.Append(e.First)
	c.last.Append(e.Last)
	c.rows.Append(e.Rows)
	c.duplicates.Append(e.Duplicates)
	c.dead.Append(e.Dead)
	c.missing.Append(e.Missing)
	c.lost.Append(e.Lost)
	c.erased.Append(e.Erased)
	c.number.Append(f.Number)
	c.token.Append(f.Token)
	c.at.Append(now)
}

// WriteRange writes the range row.
func (l *Partition) WriteRange(ctx context.Context, f Fence, e OffsetRange, alone bool) error {
	fill := func(c *rangeColumns) { c.append(e, f, l.clock.Now()) }
	return l.unlessFenced(ctx, f, l.writer.ranges.insert(ctx, f, 1, alone, fill))
}
