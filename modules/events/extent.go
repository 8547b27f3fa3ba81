package events

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// extent is a range of offsets and what became of them.
type extent struct {
	first, last                                          int64
	rows, duplicates, dead, missing, lostOffsets, erased uint64
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

func (c *rangeColumns) append(e extent, f fence, now time.Time) {
	c.epoch.Append(f.epoch())
	c.partition.Append(f.partition())
	c.first.Append(e.first)
	c.last.Append(e.last)
	c.rows.Append(e.rows)
	c.duplicates.Append(e.duplicates)
	c.dead.Append(e.dead)
	c.missing.Append(e.missing)
	c.lost.Append(e.lostOffsets)
	c.erased.Append(e.erased)
	c.number.Append(f.number)
	c.token.Append(f.token)
	c.at.Append(now)
}
