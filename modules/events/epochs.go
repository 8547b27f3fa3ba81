package events

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// epoch is a topic that holds events or has held them.
type epoch struct {
	number     uint16
	topic      string
	partitions int32
	began      time.Time
}

// epochs are all epochs that have begun, the last one last. The first row of an epoch counts.
func (l *ledger) epochs(ctx context.Context) (all []epoch, err error) {
	var number, partitions proto.ColUInt16
	var topic proto.ColStr
	var began proto.ColDateTime64
	err = l.read(ctx, "epochs", ch.Query{
		Result: proto.Results{
			{Name: "epoch", Data: &number}, {Name: "topic", Data: &topic}, {Name: "partitions", Data: &partitions}, {Name: "began", Data: &began},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range number {
				all = append(all, epoch{number[i], topic.Row(i), int32(partitions[i]), began.Row(i)})
			}
			return nil
		},
	})
	return all, err
}

// beginEpoch writes down that an epoch has begun.
func (l *ledger) beginEpoch(ctx context.Context, e epoch) error {
	var number, partitions proto.ColUInt16
	var topic proto.ColStr
	var at proto.ColDateTime64
	number.Append(e.number)
	topic.Append(e.topic)
	partitions.Append(uint16(e.partitions)) //nolint:gosec // validated: at most 1024
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(e.began)
	input := proto.Input{
		{Name: "epoch", Data: &number}, {Name: "topic", Data: &topic}, {Name: "partitions", Data: &partitions}, {Name: "created_at", Data: &at},
	}
	return l.client.Write(ctx, clickhouse.Query{Name: "event_epoch", Query: ch.Query{Body: input.Into("event_epochs"), Input: input}})
}
