package consumer

import (
	"context"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// partition collects the records of one partition in batches, from its acquisition to the end of the session.
type partition struct {
	cfg     Config
	session sarama.ConsumerGroupSession
	queue   *kafka.Queue
	claim   sarama.ConsumerGroupClaim
	markers *kafka.Markers
	topicID string
	decoder *decoder
	submit  func(context.Context, *batch) error // until ClickHouse has it
	parked  *parked
	log     *zap.Logger
	metrics *metrics
}

func (h *handler) partition(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) *partition {
	c, t := h.consumer, h.session.topics[claim.Topic()]
	return &partition{
		cfg: c.cfg, session: session, claim: claim, markers: h.markers,
		queue: kafka.NewClaimQueue(h.group, claim, int64(c.cfg.QueueBytes), c.clock,
			c.metrics.pauses.WithLabelValues(t.writer.table).Inc),
		topicID: t.epochs.Current().TopicID,
		decoder: &decoder{
			table: t.writer.table, sources: t.writer.sources, epochs: t.epochs, leader: t.leaders[claim.Partition()],
			metrics: c.metrics, rejects: c.rejects, now: c.clock.Now,
		},
		submit: t.writer.submit, parked: &c.parked, log: c.log, metrics: c.metrics,
	}
}

// run reads the partition until the session ends.
func (p *partition) run() error {
	intake := kafka.Intake{
		Claim: p.claim, Queue: p.queue, Markers: p.markers, Backlog: p.metrics.backlog,
		Labels: []string{p.decoder.table, kafka.PartitionLabel(p.claim.Partition())},
	}
	ctx := p.session.Context()
	if err := intake.While(ctx, p.collect); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // the session ended: what was not applied is read again
}

// collect makes batches of the queue, has each written, and only then marks its offset.
func (p *partition) collect(ctx context.Context) error {
	b := &batch{}
	age := time.NewTimer(time.Hour)
	defer age.Stop()
	for {
		m, open := p.queue.Pop()
		due := false
		switch {
		case m != nil:
			if b.last == nil {
				age.Reset(p.cfg.BatchAge)
			}
			if err := envelope.Foreign(m.Key, m.Value); err != nil && p.cfg.OnForeign == "wait" {
				return p.park(ctx, b, err, m.Offset)
			}
			full, err := p.decoder.add(b, m)
			if err != nil {
				return err
			}
			due = full || b.records >= p.cfg.BatchRows || b.bytes >= p.cfg.BatchBytes
		case !open: // the session ends: what is not applied is read again
			return nil
		default:
			if upto := p.queue.Passed(); upto > 0 && b.last == nil { // markers: nothing to apply
				p.mark(upto)
			}
			select {
			case <-p.queue.Ready():
			case <-age.C:
				due = b.last != nil
			case <-ctx.Done():
				return nil
			}
		}
		if !due {
			continue
		}
		if err := p.write(ctx, b); err != nil {
			return err
		}
		p.queue.Applied()
		b = &batch{}
	}
}

// write has a batch written and then marks where it ends: replay is safe, loss is not.
func (p *partition) write(ctx context.Context, b *batch) error {
	if err := p.submit(ctx, b); err != nil {
		return err
	}
	p.mark(b.last.Offset + 1)
	return nil
}

// mark notes where the partition goes on; the session commits it.
func (p *partition) mark(next int64) {
	p.session.MarkOffset(p.claim.Topic(), p.claim.Partition(), next,
		offsetMetadata{topicID: p.topicID, leader: p.decoder.leader}.String())
}
