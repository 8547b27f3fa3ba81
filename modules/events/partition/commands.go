package partition

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
)

// pollEvery is how often an owner looks for commands.
const pollEvery = 2 * time.Second

// runCommand does one thing that is asked of the owner. What else is asked comes after the next batch: the
// partition stands still meanwhile, so never for longer than one day of it takes to recount.
func (p *Worker) runCommand(ctx context.Context) error {
	now := p.Clock.Now()
	if now.Before(p.nextPoll) {
		return nil
	}
	p.nextPoll = now.Add(pollEvery)
	if err := p.countResolved(ctx); err != nil {
		return err
	}
	asked, err := p.Ledger.Commands(ctx)
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
		if changed, err = p.Ledger.Reconcile(ctx, p.fence, ledger.WholeDays(q.FirstDay, q.LastDay)); err != nil {
			return p.recover(ctx, fmt.Errorf("reconcile days: %w", err)) // it is asked again
		}
		p.metrics.reconciled.Add(float64(changed))
	}
	// A quarantine that comes here found its batch gone: nothing was stuck.
	if err := p.Ledger.Finish(ctx, q.ID, changed); err != nil {
		p.log.Warn("write the result of a command", zap.Error(err))
	}
	return nil
}
