package consumer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// pollEvery is how often an owner looks for commands.
const pollEvery = 2 * time.Second

// runCommand does one thing that is asked of the owner. What else is asked comes after the next batch: the
// partition stands still meanwhile, so never for longer than one day of it takes to recount.
func (p *partition) runCommand(ctx context.Context) error {
	now := p.clock.Now()
	if now.Before(p.nextPoll) {
		return nil
	}
	p.nextPoll = now.Add(pollEvery)
	if err := p.countResolved(ctx); err != nil {
		return err
	}
	asked, err := p.ledger.Commands(ctx)
	if err != nil {
		p.log.Warn("look for commands", zap.Error(err))
		return nil
	}
	if len(asked) == 0 {
		return nil
	}
	if len(asked) > 1 {
		p.nextPoll = now // after the next batch, or at once when there is none
	}
	q := asked[0]
	var changed uint64
	if q.Kind == ledger.CommandReconcile {
		if changed, err = p.ledger.Reconcile(ctx, p.fence, ledger.WholeDays(q.FirstDay, q.LastDay)); err != nil {
			return p.recover(ctx, fmt.Errorf("reconcile days: %w", err)) // it is asked again
		}
		p.metrics.reconciled.Add(float64(changed))
	}
	// A quarantine that comes here found its batch gone: nothing was stuck.
	if err := p.ledger.Finish(ctx, q.ID, changed); err != nil {
		p.log.Warn("write the result of a command", zap.Error(err))
	}
	return nil
}

// quarantine takes the records that an operator named out of a batch that ClickHouse refuses.
func (p *partition) quarantine(ctx context.Context, refusal error) error {
	asked, err := p.ledger.Commands(ctx)
	if err != nil {
		p.log.Warn("look for commands", zap.Error(err))
		return nil
	}
	for _, q := range asked {
		if q.Kind != ledger.CommandQuarantine {
			continue
		}
		named := func(r ledger.Row) bool { return r.Offset >= q.FirstOffset && r.Offset <= q.LastOffset && !r.Present }
		var letters []kafka.DeadLetter
		for i := range p.batch.rows {
			if r := &p.batch.rows[i]; named(*r) {
				letters = append(letters, kafka.NewDeadLetter(r.Record, p.cfg.Epoch, deadQuarantined, refusal.Error()))
			}
		}
		if len(letters) > 0 {
			if err := p.publishDeadLetters(ctx, letters); err != nil {
				return err
			}
			p.batch.deadLetters = append(p.batch.deadLetters, letters...)
			p.batch.rows = slices.DeleteFunc(p.batch.rows, named)
			p.states.Forget() // they follow from what was taken out
			if err := p.retry(ctx, "decide what counts", func() error { return p.decide(ctx) }); err != nil {
				return err
			}
		}
		if err := p.ledger.Finish(ctx, q.ID, uint64(len(letters))); err != nil {
			p.log.Warn("write the result of a command", zap.Error(err))
		}
	}
	return nil
}
