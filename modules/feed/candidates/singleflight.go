package candidates

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/tracing"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

var errFlightPanicked = errors.New("the computation panicked")

// singleflight computes at most once at a time for each viewer and state of their cache entry. A request
// that has seen a newer state, because the viewer changed something, does not join an older flight.
type singleflight struct {
	workers *worker.Group
	mu      sync.Mutex
	running map[flightKey]*Flight // that can be joined
	count   int                   // of all that run
}

type flightKey struct {
	viewer core.ID
	tag    reserve.Tag
	ahead  bool // nobody waits for it: it gives way where another replica is at it
}

// Flight is one computation. Its results are set before done is closed.
type Flight struct {
	done   chan struct{}
	result *Built
	err    error
}

func newSingleflight(workers *worker.Group) *singleflight {
	return &singleflight{workers: workers, running: map[flightKey]*Flight{}}
}

// join starts the computation for what of works for, or finds the one that is running. After what compute returned is
// handed out, after runs in the same goroutine, and only then can the next computation start.
func (f *singleflight) join(of context.Context, key flightKey, compute func(context.Context) (*Built, error),
	after func(context.Context, *Built),
) *Flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if running, ok := f.running[key]; ok {
		return running
	}
	one := &Flight{done: make(chan struct{}), err: errFlightPanicked}
	f.running[key] = one
	f.count++
	f.workers.Go("compute a feed", func(ctx context.Context) error {
		defer f.end(key, one)
		ctx = tracing.Follow(ctx, of)
		func() {
			defer close(one.done)
			one.result, one.err = compute(ctx)
		}()
		if one.err == nil {
			after(ctx, one.result)
		}
		return nil
	})
	return one
}

func (f *singleflight) end(key flightKey, one *Flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count--
	if f.running[key] == one {
		delete(f.running, key)
	}
}

// forget lets nobody join what was begun before: it goes on for those who wait for it.
func (f *singleflight) forget(dropped func(viewer core.ID) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.running, func(key flightKey, _ *Flight) bool { return dropped(key.viewer) })
}

// find is the computation that is running, if there is one.
func (f *singleflight) find(key flightKey) *Flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[key]
}

// under tells how many computations are under way.
func (f *singleflight) under() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Wait is the flight's result, unless ctx ends first.
func (f *Flight) Wait(ctx context.Context) (*Built, error) {
	select {
	case <-f.done:
		return f.result, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
