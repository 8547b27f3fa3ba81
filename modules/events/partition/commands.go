package partition

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/posts"
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

// countResolved looks whether there is a record of some of these posts by now, and counts their events.
func (p *Worker) countResolved(ctx context.Context) error {
	if p.Posts == nil || len(p.unresolved.posts) == 0 {
		return nil
	}
	some := slices.Clone(p.unresolved.due[:min(unresolvedAtOnce, len(p.unresolved.due))])
	found := make(map[core.ID]posts.Known, len(some))
	if err := p.Posts.Look(ctx, some, found); err != nil {
		p.log.Warn("look for posts that events were ahead of", zap.Error(err))
		return nil
	}
	if len(found) > 0 {
		s := ledger.Beyond(math.MaxInt64)
		for id := range found {
			s.Posts, s.After = append(s.Posts, id), min(s.After, p.unresolved.posts[id].offset-1)
		}
		changed, err := p.Ledger.Reconcile(ctx, p.fence, s)
		if err != nil {
			// they are looked at again
			return p.recover(ctx, fmt.Errorf("count events that were ahead of their posts: %w", err))
		}
		p.metrics.reconciled.Add(float64(changed))
		p.metrics.resolved.Add(float64(len(found)))
	}
	p.unresolved.looked(some, found, p.Clock.Now().Add(-unresolvedFor).UnixMilli(), p.metrics)
	return nil
}
