package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// rebuildAtOnce is how many days of a partition its owner is asked for at once: so that it always finds
// the next one, and a caller that dies leaves little behind.
const rebuildAtOnce = 4

// Rebuild has every owner recount what the raw table can still recount, day by day, all partitions at
// once, and returns how many buckets were wrong: all of them, when the definition of a view has changed.
// Readers see what a partition has counted in a bucket before or after, never none and never both, because
// the owners add differences: a sum over partitions goes from the old to the new in as many steps. Events go on being
// applied between two days. Done twice, or broken off, it does no harm. progress may be nil.
func (r *Owners) Rebuild(ctx context.Context, progress func(done, total int)) (wrong uint64, err error) {
	const day = 24 * time.Hour
	first := r.Complete()
	// events may be a little ahead of our clock
	days := int(r.ledger.clock.Now().UTC().Truncate(day).Sub(first)/day) + 2
	total := days * r.Partitions()
	var mu sync.Mutex
	done := 0
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(rebuildAtOnce * r.Partitions())
	for i := range total {
		asking.Go(func() error {
			at := first.AddDate(0, 0, i/r.Partitions())
			n, err := r.Reconcile(ctx, i%r.Partitions(), at, at)
			if err != nil {
				return fmt.Errorf("rebuild %s: %w", at.Format(time.DateOnly), err)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			wrong += n
			if progress != nil {
				progress(done, total)
			}
			return nil
		})
	}
	err = asking.Wait()
	return wrong, err
}
