package ledger

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Epoch is a topic that holds events or has held them.
type Epoch struct {
	Number     uint16
	Topic      string
	Partitions int32
	Began      time.Time
}

// Epochs are all epochs that have begun, the last one last. The first row of an epoch counts.
func (l *Ledger) Epochs(ctx context.Context) (all []Epoch, err error) {
	var number, partitions proto.ColUInt16
	var topic proto.ColStr
	var began proto.ColDateTime64
	err = l.read(ctx, "epochs", ch.Query{
		Result: proto.Results{
			{Name: "epoch", Data: &number},
			{Name: "topic", Data: &topic},
			{Name: "partitions", Data: &partitions},
			{Name: "began", Data: &began},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range number {
				all = append(all, Epoch{number[i], topic.Row(i), int32(partitions[i]), began.Row(i)})
			}
			return nil
		},
	})
	return all, err
}

// BeginEpoch writes down that an epoch has begun.
func (l *Ledger) BeginEpoch(ctx context.Context, e Epoch) error {
	var number, partitions proto.ColUInt16
	var topic proto.ColStr
	var at proto.ColDateTime64
	number.Append(e.Number)
	topic.Append(e.Topic)
	partitions.Append(uint16(e.Partitions)) // validated: at most 1024
	at.WithPrecision(proto.PrecisionMilli)
	at.Append(e.Began)
	input := proto.Input{
		{Name: "epoch", Data: &number},
		{Name: "topic", Data: &topic},
		{Name: "partitions", Data: &partitions},
		{Name: "created_at", Data: &at},
	}
	return l.client.Write(ctx, clickhouse.Query{
		Name:  "event_epoch",
		Query: ch.Query{Body: input.Into("event_epochs"), Input: input},
	})
}
