package candidates

import (
	"context"
	"errors"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// leaseSlack is by how much a lease outlives the computation that it is for, to save its result.
const leaseSlack = 2 * time.Second

// ErrElsewhere ends a computation that nobody waits for: another replica is at it.
var ErrElsewhere = errors.New("another replica computes it")

// leasePoll is how often a replica looks whether the one that computes has finished.
const leasePoll = 10 * time.Millisecond

// computeLeased computes under the viewer's lease, so that one replica does at a time. Who finds the
// lease taken waits a little for the other's result, and then computes anyway, without saving: an
// answer that is late is worse than one that was computed twice. Ahead of time nothing is computed twice.
func (b *Builder) computeLeased(ctx context.Context, v Viewer, ahead bool,
	compute func(store.State) (*Built, error),
) (*Built, error) {
	wait, state := b.cfg.LeaseWait, v.State
	if ahead {
		wait = 0
	}
	lease, waited := b.takeLease(ctx, v.ID, wait)
	switch {
	case ahead && waited:
		return nil, ErrElsewhere
	case waited:
		if built, now, ok := b.builtElsewhere(ctx, v); ok {
			b.freeLease(ctx, v.ID, lease)
			b.metrics.Leases.WithLabelValues("shared").Inc()
			return built, nil
		} else if now.Entry != nil {
			state = now
		}
	}
	built, err := compute(state)
	if err != nil {
		b.freeLease(ctx, v.ID, lease)
		return nil, err
	}
	built.lease = lease
	return built, nil
}

// takeLease tries until the lease is ours, or the wait is over. Without Redis there is none, and
// nothing to wait for.
func (b *Builder) takeLease(ctx context.Context, user core.ID, wait time.Duration) (lease store.Lease, waited bool) {
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		taken := false
		err := b.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
			lease, taken, err = b.store.Lease(ctx, user, b.cfg.Budget+leaseSlack)
			return err
		})
		switch {
		case err != nil:
			b.metrics.RedisFailures.WithLabelValues("lease").Inc()
			return "", waited
		case taken:
			return lease, waited
		}
		select {
		case <-over.C:
			b.metrics.Leases.WithLabelValues("busy").Inc()
			return "", true
		case <-ctx.Done():
			return "", false
		case <-time.After(leasePoll):
			waited = true
		}
	}
}

// builtElsewhere is the entry that another replica has saved since the one that the viewer had.
func (b *Builder) builtElsewhere(ctx context.Context, v Viewer) (*Built, store.State, bool) {
	var state store.State
	err := b.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		state, err = b.store.Load(ctx, v.ID)
		return err
	})
	var entry reserve.Entry
	if err != nil || entry.Decode(state.Entry) != nil || entry.Tag == v.Tag || !entry.Fresh(b.clock.Now()) {
		return nil, state, false
	}
	return &Built{Reserve: &entry.Reserve, Cached: true, State: state}, state, true
}

func (b *Builder) freeLease(ctx context.Context, user core.ID, lease store.Lease) {
	if lease == "" {
		return
	}
	err := b.guards.Redis.Do(ctx, func(ctx context.Context) error { return b.store.Free(ctx, user, lease) })
	if err != nil {
		b.metrics.RedisFailures.WithLabelValues("lease").Inc() // it expires
	}
}
