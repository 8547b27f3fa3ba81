package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// acquire makes the partition ours and finds out how far it is. It tries until it succeeds or ctx ends:
// before that, nothing may be written.
func (p *partition) acquire(ctx context.Context) error {
	started := p.clock.Now()
	pause := retryPause()
	for {
		err := p.acquireOnce(ctx)
		if err == nil {
			p.metrics.acquire.Observe(p.clock.Now().Sub(started).Seconds())
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

func (p *partition) acquireOnce(ctx context.Context) error {
	if resumed, err := p.resume(ctx); resumed || err != nil {
		return err
	}
	next, err := p.ledger.NextFence(ctx)
	if err != nil {
		return err
	}
	return p.acquireFence(ctx, next)
}

// acquireFence claims one fence and, if we get it, finds out what the fences before it have done.
// Claiming the same fence again is harmless: the token is the same.
func (p *partition) acquireFence(ctx context.Context, number uint64) error {
	f := ledger.Fence{Number: number, Token: p.fence.Token}
	p.certain = false
	p.failpoints.Reached(AtAcquire, p.id)
	if err := p.ledger.Claim(ctx, f, p.owner); err != nil {
		return fmt.Errorf("claim fence %s: %w", f, err)
	}
	p.fence = f
	if p.known != (ledger.Fence{}) { // the one before this: nobody has come between
		p.known = f
	}
	p.metrics.fences.Inc()
	p.failpoints.Reached(AtClaimed, p.id)
	if err := p.awaitInFlight(ctx); err != nil {
		return fmt.Errorf("wait for older statements: %w", err)
	}
	p.failpoints.Reached(AtInFlightEnded, p.id)
	err := p.erased.Refresh(ctx) // who took the partition from us may have obeyed already
	if err != nil {
		return fmt.Errorf("read who is erased: %w", err)
	}
	if err = p.loadPosition(ctx); err != nil {
		return err
	}
	p.failpoints.Reached(AtPositionLoaded, p.id)
	if len(p.present) > 0 {
		wrong, err := p.ledger.Reconcile(ctx, p.fence, ledger.Beyond(p.next-1))
		if err != nil {
			return fmt.Errorf("reconcile the views: %w", err)
		}
		p.metrics.reconciled.Add(float64(wrong))
		p.log.Info("found what a batch left unfinished", zap.Int("present", len(p.present)),
			zap.Uint64("buckets_reconciled", wrong),
			zap.String("at", p.position()), zap.Stringer("fence", p.fence))
	}
	p.failpoints.Reached(AtReconciled, p.id)
	if !p.logChecked {
		if p.next, err = p.checkLogBounds(ctx, p.next); err != nil {
			return err
		}
		p.logChecked = true
	}
	if p.known != f {
		if err := p.dedup.Fill(ctx, p.cfg.RequireSession); err != nil {
			return fmt.Errorf("fill the filter: %w", err)
		}
		if err := p.loadUnresolved(ctx); err != nil {
			return err
		}
		p.known = f
	}
	p.failpoints.Reached(AtFilled, p.id)
	return nil
}

// awaitInFlight waits until no statement of an older fence runs: what is not in the tables then never will
// be, because whatever starts now is refused. One that hangs is ended.
func (p *partition) awaitInFlight(ctx context.Context) error {
	killed := map[string]bool{}
	for {
		running, err := p.ledger.Running(ctx)
		if err != nil || len(running) == 0 {
			return err
		}
		for id, age := range running {
			if age < hungAfter || killed[id] {
				continue
			}
			if err := p.ledger.Kill(ctx, id); err != nil {
				return err
			}
			killed[id] = true
			p.metrics.killed.Inc()
		}
		if err := worker.Pause(ctx, inFlightPause); err != nil {
			return err
		}
	}
}

const (
	hungAfter     = time.Second           // an insert that its own client has given up, or is frozen over
	inFlightPause = 20 * time.Millisecond // between two looks
)

// loadPosition reads how far the partition is applied, and what lies beyond that.
func (p *partition) loadPosition(ctx context.Context) error {
	last, ok, err := p.ledger.Position(ctx)
	if err != nil {
		return fmt.Errorf("read the position: %w", err)
	}
	next := p.offsets.next
	if ok {
		next = last + 1
	}
	if p.present, err = p.ledger.Present(ctx, next-1); err != nil {
		return fmt.Errorf("read the offsets present: %w", err)
	}
	p.next = next
	return nil
}

// checkLogBounds decides what to do when the log does not hold the next offset. The views agree with the raw
// table by then, so a lost range may be written.
func (p *partition) checkLogBounds(ctx context.Context, next int64) (int64, error) {
	o, err := p.readOffsets()
	if err != nil {
		return 0, err
	}
	if next > o.newest {
		// It may have been recreated, or restored from a copy. Its offsets mean other records now.
		return 0, &parkedError{fmt.Sprintf("%s/%d ends at offset %d, but offsets up to %d are applied: the topic was made anew or cut;"+
			" set events.epoch to %d to begin a new epoch with it", p.topic, p.id, o.newest, next-1, p.cfg.Epoch+1)}
	}
	if next >= o.oldest {
		return next, nil
	}
	to := o.oldest
	switch p.cfg.OnLostOffsets {
	case "earliest":
	case "latest":
		to = o.newest
	default:
		return 0, &parkedError{fmt.Sprintf("%s/%d: offsets %d to %d were deleted before they were read;"+
			" set events.on_lost_offsets to earliest or latest to go on from %d or %d", p.topic, p.id, next, o.oldest-1,
			o.oldest, o.newest)}
	}
	lost := ledger.OffsetRange{First: next, Last: to - 1}
	for offset := range p.present {
		if offset < to {
			lost.Rows++
		}
	}
	lost.Lost = uint64(to-next) - lost.Rows //nolint:gosec // not negative
	p.states.Forget()
	p.dedup.ForgetRecent()
	p.known = ledger.Fence{} // they may know what was read and is lost
	p.log.Error("offsets are lost, going on as events.on_lost_offsets says", zap.Int64("first", next),
		zap.Int64("last", to-1))
	if err := p.ledger.WriteRange(ctx, p.fence, lost, true); err != nil {
		return 0, fmt.Errorf("write the lost range: %w", err)
	}
	p.metrics.lost.Add(float64(lost.Lost))
	return to, nil
}

// park keeps the partition, applies nothing, and leaves the others alone.
func (p *partition) park(ctx context.Context, why error) error {
	p.metrics.stopped.Set(1)
	defer p.metrics.stopped.Set(0)
	p.log.Error("the partition is stopped and waits for a decision", zap.Error(why), zap.String("at", p.position()))
	<-ctx.Done()
	return ctx.Err()
}

// parkedError says why a partition cannot go on before somebody has decided something.
type parkedError struct{ reason string }

func (e *parkedError) Error() string { return e.reason }
