package partition

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
)

// acquire makes the partition ours and finds out how far it is. It tries until it succeeds or ctx ends:
// before that, nothing may be written.
func (p *Worker) acquire(ctx context.Context) error {
	started := p.Clock.Now()
	pause := retryPause()
	for {
		err := p.acquireOnce(ctx)
		if err == nil {
			p.metrics.acquire.Observe(p.Clock.Now().Sub(started).Seconds())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *parkedError
		if errors.As(err, &stop) {
			return p.park(ctx, err)
		}
		p.log.Warn("acquire the partition, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

func (p *Worker) acquireOnce(ctx context.Context) error {
	if resumed, err := p.resume(ctx); resumed || err != nil {
		return err
	}
	next, err := p.Ledger.NextFence(ctx)
	if err != nil {
		return err
	}
	return p.acquireFence(ctx, next)
}

// acquireFence claims one fence and, if we get it, finds out what the fences before it have done.
// Claiming the same fence again is harmless: the token is the same.
func (p *Worker) acquireFence(ctx context.Context, number uint64) error {
	f := ledger.Fence{Number: number, Token: p.fence.Token}
	p.certain = false
	p.Failpoints.Reached(AtAcquire, p.ID)
	if err := p.Ledger.Claim(ctx, f, p.Owner); err != nil {
		return fmt.Errorf("claim fence %s: %w", f, err)
	}
	p.fence = f
	switch p.known.Number {
	case number, number - 1: // nobody has come between
		p.known = f
	default:
		p.forget()
	}
	p.metrics.fences.Inc()
	p.Failpoints.Reached(AtClaimed, p.ID)
	if err := p.awaitInFlight(ctx); err != nil {
		return fmt.Errorf("wait for older statements: %w", err)
	}
	p.Failpoints.Reached(AtInFlightEnded, p.ID)
	err := p.Erased.Refresh(ctx) // who took the partition from us may have obeyed already
	if err != nil {
		return fmt.Errorf("read who is erased: %w", err)
	}
	if err = p.loadPosition(ctx); err != nil {
		return err
	}
	p.Failpoints.Reached(AtPositionLoaded, p.ID)
	if len(p.present) > 0 {
		wrong, err := p.Ledger.Reconcile(ctx, p.fence, ledger.Beyond(p.next-1))
		if err != nil {
			return fmt.Errorf("reconcile the views: %w", err)
		}
		p.metrics.reconciled.Add(float64(wrong))
		p.log.Info("found what a batch left unfinished", zap.Int("present", len(p.present)),
			zap.Uint64("buckets_reconciled", wrong),
			zap.String("at", p.position()), zap.Stringer("fence", p.fence))
	}
	p.Failpoints.Reached(AtReconciled, p.ID)
	if !p.logChecked {
		if p.next, err = p.checkLogBounds(ctx, p.next); err != nil {
			return err
		}
		p.logChecked = true
	}
	if p.known != f {
		if err := p.dedup.Fill(ctx, p.Config.RequireSession); err != nil {
			return fmt.Errorf("fill the filter: %w", err)
		}
		if err := p.loadUnresolved(ctx); err != nil {
			return err
		}
		p.known = f
	}
	p.Failpoints.Reached(AtFilled, p.ID)
	return nil
}

// resume goes on where the worker before us stopped, under its fence: most partitions stay with their
// process when others join or leave. That is right if the fence is still the newest, so that nobody else
// has written, and if it left nothing uncertain. If only that is amiss, its filter is still good.
func (p *Worker) resume(ctx context.Context) (resumed bool, err error) {
	if p.known == (ledger.Fence{}) {
		return false, nil
	}
	err = p.Ledger.Holds(ctx, p.known)
	if errors.Is(err, ledger.ErrFenced) {
		p.forget()
		return false, nil
	}
	if err != nil || !p.certain {
		return false, err
	}
	p.fence = p.known
	if p.next, err = p.checkLogBounds(ctx, p.next); err != nil {
		return false, err
	}
	p.logChecked = true
	p.metrics.resumed.Inc()
	return true, nil
}

// forget drops what is known from before: somebody else has had the partition since, and may have written what our
// filter and our windows do not know.
func (p *Worker) forget() {
	p.known, p.certain = ledger.Fence{}, false
	p.states.Forget()
	p.dedup.ForgetRecent()
}
