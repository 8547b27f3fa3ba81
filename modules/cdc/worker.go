package cdc

import (
	"context"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

// consume reads one partition: it collects a batch, has it applied, and only then marks the offset.
// It returns when the session ends.
func (s *session) consume(group sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	t := s.topics[claim.Topic()]
	d := &decoder{
		table: t.applier.table, sources: t.applier.sources, epochs: t.epochs, metrics: s.metrics, now: s.clock.Now,
	}
	cfg := s.cfg.Consumer
	b := &batch{}
	age := time.NewTimer(time.Hour)
	defer age.Stop()
	flush := func() error {
		if b.last == nil {
			return nil
		}
		if err := t.applier.submit(group.Context(), b); err != nil {
			return err
		}
		// Commit after the insert: replay is safe, loss is not.
		group.MarkOffset(claim.Topic(), claim.Partition(), b.last.Offset+1, t.epochs.current().topicID)
		s.metrics.lagRecords.WithLabelValues(d.table, strconv.Itoa(int(claim.Partition()))).
			Set(float64(max(0, claim.HighWaterMarkOffset()-b.last.Offset-1)))
		b = &batch{}
		return nil
	}
	for {
		var due bool
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			if b.last == nil {
				age.Reset(cfg.BatchAge)
			}
			full, err := d.add(b, m)
			if err != nil {
				return err
			}
			due = full || b.records >= cfg.BatchRows || b.bytes >= cfg.BatchBytes
		case <-age.C:
			due = true
		case <-group.Context().Done():
			return nil
		}
		if due {
			if err := flush(); err != nil {
				return ended(group.Context(), err)
			}
		}
	}
}

// ended leaves out the error of a session that ended: what was not applied is read again.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
