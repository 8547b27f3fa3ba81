package consumer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Setup finds out where each partition of the session begins. The ledger decides; what Kafka has
// committed counts only where the ledger has nothing yet.
func (c *Consumer) Setup(session sarama.ConsumerGroupSession) error {
	c.metrics.rebalances.Inc()
	ctx := session.Context()
	if c.unlucky.Swap(false) {
		if err := worker.Pause(ctx, unluckyPause); err != nil {
			return err
		}
	}
	partitions := session.Claims()[c.topic]
	if len(partitions) == 0 {
		return nil
	}
	pause := retryPause()
	for {
		err := c.prepare(ctx, session, partitions)
		if err == nil || errors.Is(err, kafka.ErrStop) || ctx.Err() != nil {
			return err
		}
		c.log.Warn("prepare the partitions, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

const unluckyPause = 300 * time.Millisecond

func (c *Consumer) prepare(ctx context.Context, session sarama.ConsumerGroupSession, partitions []int32) error {
	return kafka.WithOffsetReader(c.kafka, func(r kafka.OffsetReader) error {
		if err := c.checkPartitions(r); err != nil {
			return err
		}
		regrouped, err := c.checkEpoch(ctx, r)
		if err != nil {
			return err
		}
		c.regrouped.Store(regrouped)
		c.forgetAllBut(partitions)
		for _, partition := range partitions {
			o, err := c.readOffsets(r, partition)
			if err != nil {
				return err
			}
			last, known, err := c.ledgerOf(partition).Position(ctx)
			if err != nil {
				return err
			}
			next := o.next
			if known {
				next = last + 1
			} else if next < o.oldest && c.cfg.OnLostOffsets == "fail" {
				// Committing anything for its neighbours would wipe out what we know.
				return fmt.Errorf("%w: %s/%d: offsets %d to %d were deleted before they were read;"+
					" set events.on_lost_offsets to earliest or latest", kafka.ErrStop, c.topic, partition, next,
					o.oldest-1)
			}
			start := o.start(next)
			session.MarkOffset(c.topic, partition, start, "")
			session.ResetOffset(c.topic, partition, start, "")
			c.mu.Lock()
			c.offsets[partition] = o
			c.mu.Unlock()
		}
		return nil
	})
}

// forgetAllBut frees the memory of partitions that are somebody else's now.
func (c *Consumer) forgetAllBut(partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.handoffs, func(id int32, _ handoff) bool { return !slices.Contains(partitions, id) })
}

// checkPartitions refuses a topic that has not the partitions that the configuration says.
func (c *Consumer) checkPartitions(r kafka.OffsetReader) error {
	n, err := r.Partitions(c.topic)
	if err != nil {
		return err
	}
	if n != int(c.cfg.Partitions) {
		return fmt.Errorf("%w: topic %s has %d partitions, events.partitions is %d. Copies of one event meet only while that number stays:"+
			" for more partitions create a new topic, let the consumers finish this one, then set events.topic and events.partitions to the new one and raise events.epoch by one", kafka.ErrStop, c.topic, n, c.cfg.Partitions)
	}
	return nil
}

// ConsumeClaim runs the worker of one partition until the session ends. Kafka's client joins it before
// it begins the next session.
func (c *Consumer) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	id := claim.Partition()
	defer c.metrics.forget(id)
	p := c.partition(session, claim)
	intake := kafka.Intake{
		Claim: claim, Queue: p.queue, Markers: c.markers.Load(), Backlog: c.metrics.backlog,
		Labels: []string{kafka.PartitionLabel(id)},
	}
	err := intake.While(session.Context(), p.run)
	c.mu.Lock()
	c.handoffs[id] = p.handOff()
	c.mu.Unlock()
	switch {
	case session.Context().Err() != nil, errors.Is(err, errSessionEnded):
		return nil
	case errors.Is(err, ledger.ErrFenced):
		c.log.Warn("another consumer has the partition", zap.Error(err))
	default:
		c.log.Error("a partition's worker ended", zap.Error(err))
	}
	c.unlucky.Store(true)
	return err
}

// Cleanup has nothing to do: the workers have ended.
func (c *Consumer) Cleanup(sarama.ConsumerGroupSession) error { return nil }
