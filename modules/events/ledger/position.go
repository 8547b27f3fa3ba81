package ledger

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Position is the last offset applied; ok is false if there is no range yet.
func (l *Partition) Position(ctx context.Context) (last int64, ok bool, err error) {
	var found proto.ColInt64
	err = l.read(ctx, "position", ch.Query{
		Parameters: l.params(), Result: proto.Results{{Name: "last_offset", Data: &found}},
		OnResult: func(context.Context, proto.Block) error {
			if found.Rows() > 0 {
				last, ok = found.Row(0), true
			}
			return nil
		},
	})
	return last, ok, err
}

// Present are the offsets beyond after that the raw table has.
func (l *Partition) Present(ctx context.Context, after int64) (Offsets, error) {
	var found, author proto.ColInt64
	var effect proto.ColInt8
	var why proto.ColUInt8
	var all Offsets
	err := l.read(ctx, "present", ch.Query{
		Parameters: l.params(clickhouse.Param("after", after)),
		Result: proto.Results{
			{Name: "kafka_offset", Data: &found},
			{Name: "effect", Data: &effect},
			{Name: "why", Data: &why},
			{Name: "author_id", Data: &author},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i, offset := range found {
				all.add(offset, counting.Decision{
					Effect: effect[i], Verdict: counting.Verdict(why[i]),
					Author: core.ID(author[i]),
				})
			}
			return nil
		},
	})
	return all, err
}

// Offsets is a set of offsets, with what was decided of each; nil is empty.
type Offsets map[int64]counting.Decision

func (o *Offsets) add(offset int64, s counting.Decision) {
	if *o == nil {
		*o = Offsets{}
	}
	(*o)[offset] = s
}

// Has tells whether an offset is in the set.
func (o Offsets) Has(offset int64) bool {
	if len(o) == 0 {
		return false
	}
	_, found := o[offset]
	return found
}
