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
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Setup finds out where each partition of the session begins. The ledger decides; what Kafka has
// committed counts only where the ledger has nothing yet.
func (c *Consumer) Setup(session sarama.ConsumerGroupSession) error {
	c.shared.Metrics.Rebalances.Inc()
	ctx := session.Context()
	if c.unlucky.Swap(false) {
		if err := worker.Pause(ctx, unluckyPause); err != nil {
			return err
		}
	}
	partitions := session.Claims()[c.shared.Topic]
	if len(partitions) == 0 {
		return nil
	}
	pause := worker.Backoff{Least: 50 * time.Millisecond, Most: 2 * time.Second}
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
		for _, id := range partitions {
			o, err := c.readOffsets(r, id)
			if err != nil {
				return err
			}
			last, known, err := c.ledgerOf(id).Position(ctx)
			if err != nil {
				return err
			}
			next := o.Next
			if known {
				next = last + 1
			} else if next < o.Oldest && c.shared.Config.OnLostOffsets == "fail" {
				// Committing anything for its neighbours would wipe out what we know.
				return fmt.Errorf("%w: %s/%d: offsets %d to %d were deleted before they were read;"+
					" set events.on_lost_offsets to earliest or latest", kafka.ErrStop, c.shared.Topic, id, next,
					o.Oldest-1)
			}
			start := o.Start(next)
			session.MarkOffset(c.shared.Topic, id, start, "")
			session.ResetOffset(c.shared.Topic, id, start, "")
			c.mu.Lock()
			c.offsets[id] = o
			c.mu.Unlock()
		}
		return nil
	})
}

// forgetAllBut frees the memory of partitions that are somebody else's now.
func (c *Consumer) forgetAllBut(partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.handoffs, func(id int32, _ partition.Handoff) bool { return !slices.Contains(partitions, id) })
}

// checkPartitions refuses a topic that has not the partitions that the configuration says.
func (c *Consumer) checkPartitions(r kafka.OffsetReader) error {
	n, err := r.Partitions(c.shared.Topic)
	if err != nil {
		return err
	}
	if n != int(c.shared.Config.Partitions) {
		return fmt.Errorf("%w: topic %s has %d partitions, events.partitions is %d. Copies of one event meet only while that number stays:"+
			" for more partitions create a new topic, let the consumers finish this one, then set events.topic and events.partitions to the new one and raise events.epoch by one", kafka.ErrStop, c.shared.Topic, n, c.shared.Config.Partitions)
	}
	return nil
}

// readOffsets asks Kafka where a partition may begin.
func (c *Consumer) readOffsets(r kafka.OffsetReader, id int32) (partition.LogOffsets, error) {
	read, err := r.Offsets(Group, map[string][]int32{c.shared.Topic: {id}})
	if err != nil {
		return partition.LogOffsets{}, err
	}
	at := read[c.shared.Topic][id]
	o := partition.LogOffsets{Next: at.Committed, Oldest: at.Oldest, Newest: at.Newest}
	if at.Committed < 0 {
		o.Next = o.Oldest
	}
	return o, nil
}

// ConsumeClaim runs the worker of one partition until the session ends. Kafka's client joins it before
// it begins the next session.
func (c *Consumer) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	id := claim.Partition()
	defer c.shared.Metrics.Forget(id)
	w := c.worker(session, claim)
	intake := kafka.Intake{
		Claim: claim, Queue: w.Queue, Markers: c.markers.Load(), Backlog: c.shared.Metrics.Backlog,
		Labels: []string{kafka.PartitionLabel(id)},
	}
	err := intake.While(session.Context(), w.Run)
	c.mu.Lock()
	c.handoffs[id] = w.HandOff()
	c.mu.Unlock()
	switch {
	case session.Context().Err() != nil, errors.Is(err, partition.ErrSessionEnded):
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
