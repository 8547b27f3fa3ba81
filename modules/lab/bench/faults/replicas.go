package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// balancer sends requests to the replicas that say they are ready, in turn, as a load balancer does:
// it looks often, and retries nothing.
type balancer struct {
	on  *harness.Environment
	set []string // settings of every replica

	turn  atomic.Uint64
	ready atomic.Pointer[[]*harness.Client]

	mu       sync.Mutex
	replicas []*replica
	started  int
}

type replica struct {
	*harness.Program
	client harness.Client
}

// lookEvery is how often the balancer asks whether a replica is ready, and drainFor how long a replica
// that stops waits for it to notice.
const (
	lookEvery = 50 * time.Millisecond
	drainFor  = 500 * time.Millisecond
)

// add starts one more replica.
func (b *balancer) add(ctx context.Context) error {
	b.mu.Lock()
	b.started++
	name := fmt.Sprintf("api-%d", b.started)
	b.mu.Unlock()
	p, err := b.on.Serve(ctx, name, "api", append(b.set, "http.drain_delay="+drainFor.String())...)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = append(b.replicas, &replica{p, harness.NewClient(p.Addr)})
	return nil
}

// replace starts a replica and, once it is ready, stops the oldest.
func (b *balancer) replace(ctx context.Context) error {
	if err := b.add(ctx); err != nil {
		return err
	}
	b.look(ctx)
	b.mu.Lock()
	oldest := b.replicas[0]
	b.mu.Unlock()
	err := oldest.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = slices.DeleteFunc(b.replicas, func(r *replica) bool { return r == oldest })
	oldest.client.Close()
	return err
}

// watch looks after the replicas until ctx ends.
func (b *balancer) watch(ctx context.Context) {
	for ticks := time.Tick(lookEvery); ; {
		b.look(ctx)
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}

func (b *balancer) look(ctx context.Context) {
	b.mu.Lock()
	replicas := slices.Clone(b.replicas)
	b.mu.Unlock()
	ready := make([]*harness.Client, 0, len(replicas))
	for _, r := range replicas {
		if status, _, err := harness.Fetch(ctx, r.URL()+"/readyz", ""); err == nil && status == http.StatusOK {
			ready = append(ready, &r.client)
		}
	}
	b.ready.Store(&ready)
}

// next is the replica whose turn it is; nil: none is ready.
func (b *balancer) next() *harness.Client {
	ready := b.ready.Load()
	if ready == nil || len(*ready) == 0 {
		return nil
	}
	return (*ready)[b.turn.Add(1)%uint64(len(*ready))]
}

// addrs are the replicas' addresses.
func (b *balancer) addrs() (addrs []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.replicas {
		addrs = append(addrs, r.Addr)
	}
	return addrs
}

// first is the replica that started first of those that run.
func (b *balancer) first() *replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replicas[0]
}

// restart replaces the process of another role: the new one is ready before the old one stops.
func restart(ctx context.Context, on *harness.Environment, old *harness.Program, name, roles string, set []string,
) (*harness.Program, error) {
	fresh, err := on.Serve(ctx, name, roles, set...)
	if err != nil {
		return old, err
	}
	return fresh, errors.Join(err, old.Stop())
}
