package feed

import (
	"context"
	"errors"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// leaseSlack is by how much a lease outlives the computation that it is for, to save its result.
const leaseSlack = 2 * time.Second

// errElsewhere ends a computation that nobody waits for: another replica is at it.
var errElsewhere = errors.New("another replica computes it")

// leasePoll is how often a replica looks whether the one that computes has finished.
const leasePoll = 10 * time.Millisecond

// computeLeased computes under the viewer's lease, so that one replica does at a time. Who finds the
// lease taken waits a little for the other's result, and then computes anyway, without saving: an
// answer that is late is worse than one that was computed twice. Ahead of time nothing is computed twice.
func (f *Feed) computeLeased(ctx context.Context, user core.ID, tag reserve.Tag, ahead bool, state store.State,
	compute func(store.State) (*computed, error),
) (*computed, error) {
	wait := f.cfg.Cache.LeaseWait
	if ahead {
		wait = 0
	}
	lease, waited := f.takeLease(ctx, user, wait)
	switch {
	case ahead && waited:
		return nil, errElsewhere
	case waited:
		if result, now, ok := f.computedElsewhere(ctx, user, tag); ok {
			f.freeLease(ctx, user, lease)
			f.metrics.leases.WithLabelValues("shared").Inc()
			return result, nil
		} else if now.Entry != nil {
			state = now
		}
	}
	result, err := compute(state)
	if err != nil {
		f.freeLease(ctx, user, lease)
		return nil, err
	}
	result.lease = lease
	return result, nil
}

// takeLease tries until the lease is ours, or the wait is over. Without Redis there is none, and
// nothing to wait for.
func (f *Feed) takeLease(ctx context.Context, user core.ID, wait time.Duration) (lease store.Lease, waited bool) {
	began := time.Now()
	for {
		taken := false
		err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
			lease, taken, err = f.store.Lease(ctx, user, f.cfg.ComputeBudget+leaseSlack)
			return err
		})
		switch {
		case err != nil:
			f.metrics.redisFailures.WithLabelValues("lease").Inc()
			return "", waited
		case taken:
			return lease, waited
		case time.Since(began)+leasePoll > wait:
			f.metrics.leases.WithLabelValues("busy").Inc()
			return "", true
		}
		waited = true
		if worker.Pause(ctx, leasePoll) != nil {
			return "", false
		}
	}
}

// computedElsewhere is the entry that another replica has saved since the one with that tag.
func (f *Feed) computedElsewhere(ctx context.Context, user core.ID, tag reserve.Tag) (*computed, store.State, bool) {
	var state store.State
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		state, err = f.store.Load(ctx, user)
		return err
	})
	var entry reserve.Entry
	if err != nil || entry.Decode(state.Entry) != nil || entry.Tag == tag || !entry.Fresh(f.clock.Now()) {
		return nil, state, false
	}
	return &computed{reserve: &entry.Reserve, cached: true, state: state}, state, true
}

func (f *Feed) freeLease(ctx context.Context, user core.ID, lease store.Lease) {
	if lease == "" {
		return
	}
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) error { return f.store.Free(ctx, user, lease) })
	if err != nil {
		f.metrics.redisFailures.WithLabelValues("lease").Inc() // it expires
	}
}
