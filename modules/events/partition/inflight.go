package partition

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// awaitInFlight waits until no statement of an older fence runs: what is not in the tables then never will
// be, because whatever starts now is refused. One that hangs is ended.
func (p *Worker) awaitInFlight(ctx context.Context) error {
	killed := map[string]bool{}
	for {
		running, err := p.Ledger.Running(ctx)
		if err != nil || len(running) == 0 {
			return err
		}
		for id, age := range running {
			if age < hungAfter || killed[id] {
				continue
			}
			if err := p.Ledger.Kill(ctx, id); err != nil {
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
