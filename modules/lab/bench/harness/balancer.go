package harness

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer sends requests to the replicas that say they are ready, in turn, as a load balancer does: it looks often
// at /readyz, and retries nothing. Its zero value has no replica.
type Balancer struct {
	turn  atomic.Uint64
	ready atomic.Pointer[[]*Replica]

	mu       sync.Mutex
	replicas []*Replica
}

// Replica is a program behind a Balancer.
type Replica struct {
	*Program
	Client  Client
	Version string // as whoever added it calls it
}

// lookEvery is how often a balancer asks whether a replica is ready.
const lookEvery = 50 * time.Millisecond

// DrainFor is how long a replica that stops waits for a balancer to notice.
const DrainFor = 500 * time.Millisecond

// Add adds a replica and looks after all.
func (b *Balancer) Add(ctx context.Context, p *Program, version string) {
	b.mu.Lock()
	b.replicas = append(b.replicas, &Replica{p, NewClient(p.Addr), version})
	b.mu.Unlock()
	b.look(ctx)
}

// Remove forgets a replica that has stopped. Until then it stays, as in a load balancer that only /readyz tells.
func (b *Balancer) Remove(p *Program) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replicas = slices.DeleteFunc(b.replicas, func(r *Replica) bool {
		if r.Program == p {
			r.Client.Close()
		}
		return r.Program == p
	})
}

// Replicas are all, those that started first before the others.
func (b *Balancer) Replicas() []*Replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.replicas)
}

// Watch looks after the replicas until ctx ends.
func (b *Balancer) Watch(ctx context.Context) {
	for ticks := time.Tick(lookEvery); ; {
		b.look(ctx)
		select {
		case <-ticks:
		case <-ctx.Done():
			return
		}
	}
}

func (b *Balancer) look(ctx context.Context) {
	var ready []*Replica
	for _, r := range b.Replicas() {
		if status, _, err := Fetch(ctx, r.URL()+"/readyz", ""); err == nil && status == http.StatusOK {
			ready = append(ready, r)
		}
	}
	if ctx.Err() == nil { // else nobody was asked
		b.ready.Store(&ready)
	}
}

// Next is the replica whose turn it is; nil: none is ready.
func (b *Balancer) Next() *Replica {
	ready := b.ready.Load()
	if ready == nil || len(*ready) == 0 {
		return nil
	}
	return (*ready)[b.turn.Add(1)%uint64(len(*ready))]
}
