package faults

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// balancer is before the replicas that it starts.
type balancer struct {
	harness.Balancer
	on      *harness.Environment
	set     []string // settings of every replica
	started atomic.Int64
}

// add starts one more replica.
func (b *balancer) add(ctx context.Context) error {
	p, err := b.on.Serve(ctx, fmt.Sprintf("api-%d", b.started.Add(1)), "api",
		append(b.set, "http.drain_delay="+harness.DrainFor.String())...)
	if err != nil {
		return err
	}
	b.Add(ctx, p, "")
	return nil
}

// replace starts a replica and, once it is ready, stops the oldest.
func (b *balancer) replace(ctx context.Context) error {
	if err := b.add(ctx); err != nil {
		return err
	}
	oldest := b.first()
	err := oldest.Stop()
	b.Remove(oldest.Program)
	return err
}

// next is the replica whose turn it is; nil: none is ready.
func (b *balancer) next() *harness.Client {
	if r := b.Next(); r != nil {
		return &r.Client
	}
	return nil
}

// addrs are the replicas' addresses.
func (b *balancer) addrs() (addrs []string) {
	for _, r := range b.Replicas() {
		addrs = append(addrs, r.Addr)
	}
	return addrs
}

// first is the replica that started first of those that run.
func (b *balancer) first() *harness.Replica { return b.Replicas()[0] }

// restart replaces the process of another role: the new one is ready before the old one stops.
func restart(ctx context.Context, on *harness.Environment, old *harness.Program, name, roles string, set []string,
) (*harness.Program, error) {
	fresh, err := on.Serve(ctx, name, roles, set...)
	if err != nil {
		return old, err
	}
	return fresh, errors.Join(err, old.Stop())
}
