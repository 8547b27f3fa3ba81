package suggest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// maxExisting is how many people are remembered who are there, 16 bytes each.
const maxExisting = 200_000

// maxSuspects is how many people who were deleted are remembered, 40 bytes each; where there are more, the
// source is asked for each list.
const maxSuspects = 100_000

// deleted tells which people are deleted, or were never there. Hardly anybody of whom that is true still has followers,
// so it remembers everybody who ever was, and asks for those of a list who are among them.
type deleted struct {
	source Source
	clock  core.Clock
	every  time.Duration
	mapped bool // the app's table of users is copied: who is not in it does not exist

	mu       sync.Mutex
	existing map[core.ID]struct{} // were there when they were asked for
	suspects map[core.ID]bool
	all      bool      // there are no others
	at       time.Time // when they were asked for last
}

// among tells which of these people are deleted, as of a tenth of the time that a list is fresh. Who was deleted
// since is left out when a list is answered: see departed.
func (d *deleted) among(ctx context.Context, people []core.ID) ([]core.ID, error) {
	suspects, all := d.known(ctx)
	var some []core.ID
	d.mu.Lock()
	for _, id := range people {
		_, there := d.existing[id]
		if suspects[id] || !all || d.mapped && !there {
			some = append(some, id)
		}
	}
	d.mu.Unlock()
	if len(some) == 0 {
		return nil, nil
	}
	gone, err := d.lookUp(ctx, some)
	if err != nil {
		return nil, fmt.Errorf("deleted users: %w", err)
	}
	return gone, nil
}

func (d *deleted) lookUp(ctx context.Context, people []core.ID) (gone []core.ID, err error) {
	if !d.mapped {
		return d.source.Gone(ctx, people)
	}
	found, err := d.source.Existing(ctx, people)
	if err != nil {
		return nil, err
	}
	there := make(map[core.ID]struct{}, len(found))
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.existing == nil || len(d.existing)+len(found) > maxExisting {
		d.existing = make(map[core.ID]struct{}, len(found))
	}
	for _, id := range found {
		there[id], d.existing[id] = struct{}{}, struct{}{}
	}
	for _, id := range people {
		if _, is := there[id]; !is {
			gone = append(gone, id)
		}
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
