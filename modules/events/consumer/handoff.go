package consumer

import (
	"context"
	"errors"

	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ledger"
)

// handoff is what a worker leaves behind for the next one of its process.
type handoff struct {
	known      ledger.Fence
	certain    bool
	next       int64
	present    ledger.Offsets
	dedup      *dedup.IDs
	states     *dedup.States
	unresolved *unresolvedPosts
}

// handOff is what this worker knows.
func (p *partition) handOff() handoff {
	if !p.certain { // they may follow from a batch that was never written
		p.states.Forget()
	}
	return handoff{
		known: p.known, certain: p.certain, next: p.next, present: p.present,
		dedup: p.dedup, states: p.states, unresolved: p.unresolved,
	}
}

// takeOver goes on with what the worker before us knew; an empty memory is none.
func (p *partition) takeOver(m handoff) {
	if m.dedup == nil {
		return
	}
	p.known, p.certain, p.next, p.present = m.known, m.certain, m.next, m.present
	p.dedup.Adopt(m.dedup)
	p.states.Adopt(m.states)
	p.unresolved = m.unresolved
}

// resume goes on where the worker before us stopped, under its fence: most partitions stay with their
// process when others join or leave. That is right if the fence is still the newest, so that nobody else
// has written, and if it left nothing uncertain. If only that is amiss, its filter is still good.
func (p *partition) resume(ctx context.Context) (resumed bool, err error) {
	if p.known == (ledger.Fence{}) {
		return false, nil
	}
	err = p.ledger.Holds(ctx, p.known)
	if errors.Is(err, ledger.ErrFenced) {
		p.known, p.certain = ledger.Fence{}, false
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
