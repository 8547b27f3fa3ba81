package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// take makes the partition ours and finds out how far it is. It tries until it succeeds or ctx ends:
// before that, nothing may be written.
func (p *partition) take(ctx context.Context) error {
	started := p.clock.Now()
	pause := retryPause()
	for {
		err := p.takeOnce(ctx)
		if err == nil {
			p.metrics.take.Observe(p.clock.Now().Sub(started).Seconds())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *stoppedError
		if errors.As(err, &stop) {
			return p.halt(ctx, err)
		}
		p.log.Warn("take the partition, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
	}
}

func (p *partition) takeOnce(ctx context.Context) error {
	if resumed, err := p.resume(ctx); resumed || err != nil {
		return err
	}
	next, err := p.ledger.nextFence(ctx)
	if err != nil {
		return err
	}
	return p.takeFence(ctx, next)
}

// recover finds out what became of a write whose outcome is not known, and makes sure that it cannot
// happen any more: by taking the partition anew. It fails with errFenced if another consumer has.
func (p *partition) recover(ctx context.Context, cause error) error {
	if errors.Is(cause, errFenced) {
		p.metrics.fenced.Inc()
		return fmt.Errorf("%s: %w", p.place(), cause)
	}
	p.metrics.uncertain.WithLabelValues(kindOf(cause)).Inc()
	p.log.Warn("the outcome of a write is not known, looking it up", zap.Error(cause), zap.String("at", p.place()))
	number := p.fence.number + 1
	pause := retryPause()
	for {
		err := p.takeFence(ctx, number)
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.Is(err, errFenced):
			p.metrics.fenced.Inc()
			return fmt.Errorf("%s: %w", p.place(), err)
		}
		p.log.Warn("look up a write, trying again", zap.Error(err))
		if err := pause.Wait(ctx); err != nil {
			return err
		}
		if p.fence.number == number {
			number++ // what failed may have been a write under the new fence
		}
	}
}

// takeFence claims one fence and, if we get it, finds out what the fences before it have done.
// Claiming the same fence again is harmless: the token is the same.
func (p *partition) takeFence(ctx context.Context, number uint64) error {
	f := fence{number: number, token: p.fence.token}
	p.settled = false
	p.steps.At(StepTake, p.id)
	if err := p.ledger.claim(ctx, f, p.owner); err != nil {
		return fmt.Errorf("claim fence %s: %w", f, err)
	}
	p.fence = f
	if p.known != (fence{}) { // the one before this: nobody has come between
		p.known = f
	}
	p.metrics.fences.Inc()
	p.steps.At(StepClaimed, p.id)
	if err := p.settle(ctx); err != nil {
		return fmt.Errorf("wait for older statements: %w", err)
	}
	p.steps.At(StepSettled, p.id)
	err := p.erased.Refresh(ctx) // who took the partition from us may have obeyed already
	if err != nil {
		return fmt.Errorf("read who is erased: %w", err)
	}
	if err = p.locate(ctx); err != nil {
		return err
	}
	p.steps.At(StepLookedUp, p.id)
	if len(p.present) > 0 {
		wrong, err := p.ledger.reconcile(ctx, p.fence, beyond(p.next-1))
		if err != nil {
			return fmt.Errorf("reconcile the views: %w", err)
		}
		p.metrics.reconciled.Add(float64(wrong))
		p.log.Info("found what a batch left unfinished", zap.Int("present", len(p.present)), zap.Uint64("buckets_reconciled", wrong),
			zap.String("at", p.place()), zap.Stringer("fence", p.fence))
	}
	p.steps.At(StepReconciled, p.id)
	if !p.accepted {
		if p.next, err = p.accept(ctx, p.next); err != nil {
			return err
		}
		p.accepted = true
	}
	if p.known != f {
		if err := p.dedup.fill(ctx, p.cfg.RequireSession); err != nil {
			return fmt.Errorf("fill the filter: %w", err)
		}
		if err := p.fillEarly(ctx); err != nil {
			return err
		}
		p.known = f
	}
	p.steps.At(StepFilled, p.id)
	return nil
}

// settle waits until no statement of an older fence runs: what is not in the tables then never will
// be, because whatever starts now is refused. One that hangs is ended.
func (p *partition) settle(ctx context.Context) error {
	killed := map[string]bool{}
	for {
		running, err := p.ledger.running(ctx)
		if err != nil || len(running) == 0 {
			return err
		}
		for id, age := range running {
			if age < hungAfter || killed[id] {
				continue
			}
			if err := p.ledger.kill(ctx, id); err != nil {
				return err
			}
			killed[id] = true
			p.metrics.killed.Inc()
		}
		if err := worker.Pause(ctx, settlePause); err != nil {
			return err
		}
	}
}

const (
	hungAfter   = time.Second           // an insert that its own client has given up, or is frozen over
	settlePause = 20 * time.Millisecond // between two looks
)

// locate reads how far the partition is applied, and what lies beyond that.
func (p *partition) locate(ctx context.Context) error {
	last, ok, err := p.ledger.position(ctx)
	if err != nil {
		return fmt.Errorf("read the position: %w", err)
	}
	next := p.origin.next
	if ok {
		next = last + 1
	}
	if p.present, err = p.ledger.present(ctx, next-1); err != nil {
		return fmt.Errorf("read the offsets present: %w", err)
	}
	p.next = next
	return nil
}

// halt keeps the partition, applies nothing, and leaves the others alone.
func (p *partition) halt(ctx context.Context, why error) error {
	p.metrics.stopped.Set(1)
	defer p.metrics.stopped.Set(0)
	p.log.Error("the partition is stopped and waits for a decision", zap.Error(why), zap.String("at", p.place()))
	<-ctx.Done()
	return ctx.Err()
}

// stoppedError says why a partition cannot go on before somebody has decided something.
type stoppedError struct{ reason string }

func (e *stoppedError) Error() string { return e.reason }
