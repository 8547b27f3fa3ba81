package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// balancer sends requests to the replicas that say they are ready, in turn, as a load balancer does: it looks often
// at /readyz, and retries nothing.
type balancer struct {
	turn  atomic.Uint64
	ready atomic.Pointer[[]replica]

	mu       sync.Mutex
	replicas []replica
}

type replica struct {
	*harness.Program
	client harness.Client
	before bool // it is of the version before
}

func (r replica) name() string {
	if r.Program == nil {
		return "nobody"
	}
	return r.Name
}

// lookEvery is how often the balancer asks whether a replica is ready, and drainFor how long a replica that stops
// waits for it to notice.
const (
	lookEvery = 50 * time.Millisecond
	drainFor  = 500 * time.Millisecond
)

func (b *balancer) add(ctx context.Context, p *harness.Program, before bool) {
	b.mu.Lock()
	b.replicas = append(b.replicas, replica{p, harness.NewClient(p.Addr), before})
	b.mu.Unlock()
	b.look(ctx)
}

// remove forgets a replica that has stopped. Until then it stays, as in a load balancer that only /readyz tells.
func (b *balancer) remove(p *harness.Program) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = slices.DeleteFunc(b.replicas, func(r replica) bool { return r.Program == p })
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
	var ready []replica
	for _, r := range replicas {
		if status, _, err := harness.Fetch(ctx, r.URL()+"/readyz", ""); err == nil && status == http.StatusOK {
			ready = append(ready, r)
		}
	}
	if ctx.Err() == nil { // else nobody was asked
		b.ready.Store(&ready)
	}
}

// do sends a request to the replica whose turn it is, and tells what went wrong; empty: nothing.
func (b *balancer) do(r *harness.Request, see func(body []byte)) (to replica, failure string) {
	ready := b.ready.Load()
	if ready == nil || len(*ready) == 0 {
		return to, "no replica is ready"
	}
	to = (*ready)[b.turn.Add(1)%uint64(len(*ready))]
	return to, to.client.Do(r, see)
}
