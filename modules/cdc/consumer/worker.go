package consumer

import (
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// consume reads one partition until the session ends. What was fetched waits in a queue: the client
// fetches for all partitions at once, so one whose batch takes long must not keep it waiting, or all
// other tables would be late.
func (s *session) consume(group sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	ctx, cancel := context.WithCancel(group.Context())
	defer cancel()
	table := s.mapping.TableOf(claim.Topic())
	one := map[string][]int32{claim.Topic(): {claim.Partition()}}
	queue := kafka.NewQueue(int64(s.cfg.QueueBytes), s.clock,
		func() { s.metrics.pauses.WithLabelValues(table).Inc(); s.group.Pause(one) },
		func() { s.group.Resume(one) })
	defer s.group.Resume(one) // whoever has it next in this process begins with an empty queue
	defer s.metrics.backlog.Watch(queue, claim, table, kafka.PartitionLabel(claim.Partition()))()
	s.markers.Follow(ctx, queue, claim)

	var fetching sync.WaitGroup
	defer fetching.Wait()
	defer cancel()
	fetching.Go(func() {
		defer queue.Close()
		for {
			select {
			case m, ok := <-claim.Messages():
				if !ok {
					return
				}
				queue.Push(m)
			case <-ctx.Done():
				return
			}
		}
	})
	return ended(ctx, s.apply(ctx, group, claim, queue))
}

// apply collects batches, has each applied, and only then marks its offset.
func (s *session) apply(ctx context.Context, group sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim, queue *kafka.Queue) error {
	t := s.topics[claim.Topic()]
	d := &decoder{
		table: t.applier.table, sources: t.applier.sources, epochs: t.epochs, leader: t.leaders[claim.Partition()], metrics: s.metrics, rejects: s.rejects,
		now: s.clock.Now,
	}
	cfg := s.cfg
	b := &batch{}
	age := time.NewTimer(time.Hour)
	defer age.Stop()
	for {
		m, open := queue.Pop()
		due := false
		switch {
		case m != nil:
			if b.last == nil {
				age.Reset(cfg.BatchAge)
			}
			if err := envelope.Foreign(m.Key, m.Value); err != nil && cfg.OnForeign == "wait" {
				return s.park(ctx, group, claim, b, d, err, m.Offset)
			}
			full, err := d.add(b, m)
			if err != nil {
				return err
			}
			due = full || b.records >= cfg.BatchRows || b.bytes >= cfg.BatchBytes
		case !open: // the session ends: what is not applied is read again
			return nil
		default:
			if upto := queue.Passed(); upto > 0 && b.last == nil { // markers: nothing to apply
				group.MarkOffset(claim.Topic(), claim.Partition(), upto, markOf(t, d))
			}
			select {
			case <-queue.Ready():
			case <-age.C:
				due = b.last != nil
			case <-ctx.Done():
				return nil
			}
		}
		if !due {
			continue
		}
		if err := t.applier.submit(ctx, b); err != nil {
			return err
		}
		// Commit after the insert: replay is safe, loss is not.
		group.MarkOffset(claim.Topic(), claim.Partition(), b.last.Offset+1, markOf(t, d))
		queue.Applied()
		b = &batch{}
	}
}

func markOf(t *sessionTopic, d *decoder) string {
	return offsetMetadata{topicID: t.epochs.Current().TopicID, leader: d.leader}.String()
}

// ended leaves out the error of a session that ended: what was not applied is read again.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
