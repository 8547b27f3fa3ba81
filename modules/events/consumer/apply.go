package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// apply brings the batch into ClickHouse, whatever it takes.
func (p *partition) apply(ctx context.Context) error {
	started := p.clock.Now()
	b := &p.batch
	p.failpoints.Reached(AtSealed, p.id)
	b.leaveOut(p.erased, p.present)
	if err := p.publishDeadLetters(ctx, b.deadLetters); err != nil {
		return err
	}
	p.failpoints.Reached(AtDeadLettered, p.id)
	if err := p.dropDuplicates(ctx); err != nil {
		return err
	}
	if err := p.retry(ctx, "decide what counts", func() error { return p.decide(ctx) }); err != nil {
		return err
	}
	b.leaveOut(p.erased, p.present) // whose post it is, is known only now
	if err := p.writeWithRecovery(ctx); err != nil {
		return err
	}
	p.noteUnresolved()
	p.next = b.next
	p.forgetPresent()
	p.queue.Applied()
	p.commit(p.next)
	p.failpoints.Reached(AtCommitted, p.id)
	p.measure(started)
	return nil
}

// dropDuplicates takes out of the batch what was applied before.
func (p *partition) dropDuplicates(ctx context.Context) error {
	b := &p.batch
	rows, recent := p.dedup.Decide(b.rows, p.present)
	b.rows = rows
	b.duplicates += uint64(recent) //nolint:gosec // not negative
	return p.retry(ctx, "look up duplicates", func() error {
		rows, old, err := p.dedup.Resolve(ctx, b.rows)
		b.rows = rows
		b.duplicates += uint64(old) //nolint:gosec // not negative
		return err
	})
}

// forgetPresent drops the offsets that are behind us.
func (p *partition) forgetPresent() {
	for offset := range p.present {
		if offset < p.next {
			delete(p.present, offset)
		}
	}
}

// retryPause is what is waited between two tries.
func retryPause() worker.Backoff { return worker.Backoff{Least: firstRetry, Most: 2 * time.Second} }

const firstRetry = 50 * time.Millisecond

// retry repeats what has no effect when it is repeated, until it succeeds or ctx ends.
func (p *partition) retry(ctx context.Context, what string, f func() error) error {
	pause := retryPause()
	for {
		err := f()
		if err == nil || ctx.Err() != nil || errors.Is(err, ledger.ErrFenced) {
			return err
		}
		p.log.Warn(what+", trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}
