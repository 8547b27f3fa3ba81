package suggest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// maxSuspects is how many people who were deleted are remembered, 40 bytes each; where there are more, the
// source is asked for each list.
const maxSuspects = 100_000

// deleted tells which people are deleted. Hardly anybody of whom that is true still has followers, so it
// remembers everybody who ever was, and asks for those of a list who are among them.
type deleted struct {
	source Source
	clock  core.Clock
	every  time.Duration

	mu       sync.Mutex
	suspects map[core.ID]bool
	all      bool      // there are no others
	at       time.Time // when they were asked for last
}

// among tells which of these people are deleted, as of a tenth of the time that a list is fresh.
func (d *deleted) among(ctx context.Context, people []core.ID) ([]core.ID, error) {
	if suspects, all := d.known(ctx); all {
		var some []core.ID
		for _, id := range people {
			if suspects[id] {
				some = append(some, id)
			}
		}
		people = some
	}
	if len(people) == 0 {
		return nil, nil
	}
	gone, err := d.source.Gone(ctx, people)
	if err != nil {
		return nil, fmt.Errorf("deleted users: %w", err)
	}
	return gone, nil
}

// known are the suspects, asked for when they are due. Whoever comes meanwhile uses what there is.
func (d *deleted) known(ctx context.Context) (map[core.ID]bool, bool) {
	now := d.clock.Now()
	d.mu.Lock()
	suspects, all, due := d.suspects, d.all, now.Sub(d.at) >= d.every
	if due {
		d.at = now
	}
	d.mu.Unlock()
	if !due {
		return suspects, all
	}
	ids, err := d.source.Suspects(ctx, maxSuspects)
	suspects, all = make(map[core.ID]bool, len(ids)), err == nil && len(ids) < maxSuspects
	for _, id := range ids {
		suspects[id] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.suspects, d.all = suspects, all
	return suspects, all
}
