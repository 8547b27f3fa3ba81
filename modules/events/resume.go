package events

import (
	"context"
	"errors"
)

// memory is what a worker leaves behind for the next one of its process.
type memory struct {
	known   fence
	settled bool
	next    int64
	present offsets
	dedup   *dedup
	states  *states
	early   *early
}

// remembered is what this worker knows.
func (p *partition) remembered() memory {
	if !p.settled { // they may follow from a batch that was never written
		p.states.forget()
	}
	return memory{
		known: p.known, settled: p.settled, next: p.next, present: p.present,
		dedup: p.dedup, states: p.states, early: p.early,
	}
}

// remember goes on with what the worker before us knew; an empty memory is none.
func (p *partition) remember(m memory) {
	if m.dedup == nil {
		return
	}
	p.known, p.settled, p.next, p.present = m.known, m.settled, m.next, m.present
	p.dedup.adopt(m.dedup)
	p.states.adopt(m.states)
	p.early = m.early
}

// resume goes on where the worker before us stopped, under its fence: most partitions stay with their
// process when others join or leave. That is right if the fence is still the newest, so that nobody else
// has written, and if it left nothing uncertain. If only that is amiss, its filter is still good.
func (p *partition) resume(ctx context.Context) (resumed bool, err error) {
	if p.known == (fence{}) {
		return false, nil
	}
	err = p.ledger.holds(ctx, p.known)
	if errors.Is(err, errFenced) {
		p.known, p.settled = fence{}, false
		return false, nil
	}
	if err != nil || !p.settled {
		return false, err
	}
	p.fence = p.known
	if p.next, err = p.accept(ctx, p.next); err != nil {
		return false, err
	}
	p.accepted = true
	p.metrics.resumed.Inc()
	return true, nil
}
