package partition

import (
	"context"
	"maps"

	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/platform/tracing"
)

// apply brings the batch into ClickHouse, whatever it takes.
func (p *Worker) apply(ctx context.Context) (err error) {
	if p.Tracer != nil {
		var span tracing.Span
		ctx, span = p.Tracer.Consume(ctx, "events batch", p.batch.traceparents())
		defer func() { span.End(err) }()
	}
	return p.applyBatch(ctx)
}

func (p *Worker) applyBatch(ctx context.Context) error {
	started := p.Clock.Now()
	b := &p.batch
	p.Failpoints.Reached(AtSealed, p.ID)
	b.leaveOut(p.Erased, p.present)
	if err := p.retry(ctx, "admit keys", func() error { return p.admit(ctx) }); err != nil {
		return err
	}
	if err := p.publishDeadLetters(ctx, b.deadLetters); err != nil {
		return err
	}
	p.Failpoints.Reached(AtDeadLettered, p.ID)
	if err := p.dropDuplicates(ctx); err != nil {
		return err
	}
	if err := p.retry(ctx, "decide what counts", func() error { return p.decide(ctx) }); err != nil {
		return err
	}
	b.leaveOut(p.Erased, p.present) // whose post it is, is known only now
	if err := p.writeWithRecovery(ctx); err != nil {
		return err
	}
	p.noteUnresolved()
	p.next = b.next
	maps.DeleteFunc(p.present, func(offset int64, _ counting.Decision) bool { return offset < p.next })
	p.Queue.Applied()
	p.Commit(p.next)
	p.Failpoints.Reached(AtCommitted, p.ID)
	p.measure(started)
	return nil
}
