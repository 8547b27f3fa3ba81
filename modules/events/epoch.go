package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// epoch is a topic that holds events or has held them.
type epoch struct {
	number     uint16
	topic      string
	partitions int32
	began      time.Time
}

// checkEpoch compares the topic with what the epoch began with, and writes that down the first time.
// It returns whether the raw table may hold events of an epoch with another number of partitions:
// then copies of one event stand in different ones.
func (c *Consumer) checkEpoch(ctx context.Context, s surveyor) (regrouped bool, err error) {
	all, err := c.ledger(0).epochs(ctx)
	if err != nil {
		return false, err
	}
	if len(all) == 0 || all[len(all)-1].number < c.cfg.Epoch {
		if len(all) > 0 {
			if err := c.checkDrained(ctx, s, all[len(all)-1]); err != nil {
				return false, err
			}
		}
		if err := c.beginEpoch(ctx); err != nil {
			return false, err
		}
		all = append(all, epoch{c.cfg.Epoch, c.topic, c.cfg.Partitions, c.clock.Now()})
	}
	last := all[len(all)-1]
	if last.number > c.cfg.Epoch {
		return false, fmt.Errorf("%w: events.epoch is %d, but epoch %d has begun with topic %s", kafka.ErrStop, c.cfg.Epoch, last.number, last.topic)
	}
	if last.partitions != c.cfg.Partitions || last.topic != c.topic {
		return false, fmt.Errorf("%w: epoch %d began with the %d partitions of topic %s, the configuration says %d of %s. Copies of one event meet only"+
			" while these stay: for another topic or more partitions let the consumers finish that topic, then raise events.epoch by one",
			kafka.ErrStop, c.cfg.Epoch, last.partitions, last.topic, c.cfg.Partitions, c.topic)
	}
	if c.clock.Now().Sub(last.began) > rawRetention+24*time.Hour { // what is older than the epoch is forgotten
		return false, nil
	}
	for _, e := range all {
		regrouped = regrouped || e.partitions != last.partitions
	}
	return regrouped, nil
}

// checkDrained refuses to begin an epoch before all of the one before is applied: a copy of an event
// that still waits there would be taken for the first.
func (c *Consumer) checkDrained(ctx context.Context, s surveyor, before epoch) error {
	if before.topic == c.topic { // made anew: there is nothing left of the old one
		return nil
	}
	for partition := range before.partitions {
		_, end, err := kafka.Bounds(s.client, before.topic, partition)
		if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			return nil // deleted
		}
		if err != nil {
			return fmt.Errorf("newest offset of %s/%d: %w", before.topic, partition, err)
		}
		l := c.ledger(partition)
		l.epoch = before.number
		last, known, err := l.position(ctx)
		if err != nil {
			return err
		}
		if !known {
			last = -1
		}
		if last+1 < end {
			return fmt.Errorf("%w: epoch %d cannot begin: of epoch %d, %s/%d is applied up to offset %d and ends at %d."+
				" Run consumers with the settings of epoch %d until they have finished it", kafka.ErrStop, c.cfg.Epoch, before.number,
				before.topic, partition, last+1, end, before.number)
		}
	}
	return nil
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

func (c *Consumer) beginEpoch(ctx context.Context) error {
	return writeEpoch(ctx, c.client, epoch{c.cfg.Epoch, c.topic, c.cfg.Partitions, c.clock.Now()})
}

func writeEpoch(ctx context.Context, client *clickhouse.Client, e epoch) error {
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
	return client.Write(ctx, clickhouse.Query{Name: "event_epoch", Query: ch.Query{Body: input.Into("event_epochs"), Input: input}})
}
