package partition

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
)

// Observer is notified of events after they are in ClickHouse, at least once each. It must be quick: the
// partition waits for it.
type Observer interface {
	Observe(ctx context.Context, events []core.Event) error
}

// notify lets the rest of the program know, before the range is written: whoever dies here is followed
// by somebody who finds the events present and tells of them again. What fails is tried again for as
// long as the partition may wait, then it is counted.
func (p *Worker) notify(ctx context.Context) {
	if p.Observer == nil || len(p.batch.rows) == 0 {
		return
	}
	events := make([]core.Event, 0, len(p.batch.rows))
	for i := range p.batch.rows {
		if r := &p.batch.rows[i]; !names(&r.Event, p.Erased) { // one that is present is yet to be removed
			e := r.Core()
			e.Repeated = !r.Present && r.Verdict == counting.Repeated // of one that was there before, that is not known
			events = append(events, e)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, observeTimeout)
	defer cancel()
	pause := retryPause()
	for {
		err := p.Observer.Observe(ctx, events)
		if err == nil {
			return
		}
		if pause.Wait(ctx) != nil {
			p.metrics.observe.Inc()
			p.batchLog().Warn("applied events could not be observed", zap.Error(err))
			return
		}
	}
}

// observeTimeout is a last bound: who is told has deadlines of its own, and gives up earlier on a server
// that is away. A busy one is better waited for than forgotten.
const observeTimeout = 10 * time.Second
