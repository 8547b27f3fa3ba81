package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// checkEpoch compares the topic with what the epoch began with, and writes that down the first time.
// It returns whether the raw table may hold events of an epoch with another number of partitions:
// then copies of one event stand in different ones.
func (c *Consumer) checkEpoch(ctx context.Context, r kafka.OffsetReader) (regrouped bool, err error) {
	all, err := c.ledger.Epochs(ctx)
	if err != nil {
		return false, err
	}
	if len(all) == 0 || all[len(all)-1].Number < c.shared.Config.Epoch {
		if len(all) > 0 {
			if err := c.checkDrained(ctx, r, all[len(all)-1]); err != nil {
				return false, err
			}
		}
		this := ledger.Epoch{
			Number: c.shared.Config.Epoch, Topic: c.shared.Topic,
			Partitions: c.shared.Config.Partitions, Began: c.shared.Clock.Now(),
		}
		if err := c.ledger.BeginEpoch(ctx, this); err != nil {
			return false, err
		}
		all = append(all, this)
	}
	last := all[len(all)-1]
	if last.Number > c.shared.Config.Epoch {
		return false, fmt.Errorf("%w: events.epoch is %d, but epoch %d has begun with topic %s", kafka.ErrStop,
			c.shared.Config.Epoch, last.Number, last.Topic)
	}
	if last.Partitions != c.shared.Config.Partitions || last.Topic != c.shared.Topic {
		return false, fmt.Errorf("%w: epoch %d began with the %d partitions of topic %s, the configuration says %d of %s. Copies of one event meet only"+
			" while these stay: for another topic or more partitions let the consumers finish that topic, then raise events.epoch by one",
			kafka.ErrStop, c.shared.Config.Epoch, last.Partitions, last.Topic, c.shared.Config.Partitions,
			c.shared.Topic)
	}
	// what is older than the epoch is forgotten
	if c.shared.Clock.Now().Sub(last.Began) > ledger.RawRetention+24*time.Hour {
		return false, nil
	}
	for _, e := range all {
		regrouped = regrouped || e.Partitions != last.Partitions
	}
	return regrouped, nil
}

// checkDrained refuses to begin an epoch before all of the one before is applied: a copy of an event
// that still waits there would be taken for the first.
func (c *Consumer) checkDrained(ctx context.Context, r kafka.OffsetReader, before ledger.Epoch) error {
	if before.Topic == c.shared.Topic { // made anew: there is nothing left of the old one
		return nil
	}
	for partition := range before.Partitions {
		end, err := r.End(before.Topic, partition)
		if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			return nil // deleted
		}
		if err != nil {
			return err
		}
		last, known, err := c.ledger.Partition(before.Number, partition, c.shared.Config.Partitions,
			c.regrouped.Load()).Position(ctx)
		if err != nil {
			return err
		}
		if !known {
			last = -1
		}
		if last+1 < end {
			return fmt.Errorf("%w: epoch %d cannot begin: of epoch %d, %s/%d is applied up to offset %d and ends at %d."+
				" Run consumers with the settings of epoch %d until they have finished it", kafka.ErrStop,
				c.shared.Config.Epoch,
				before.Number,
				before.Topic, partition, last+1, end, before.Number)
		}
	}
	return nil
}
