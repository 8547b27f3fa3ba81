package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// trialLimit is when something that should show counts as lost.
const trialLimit = 20 * time.Second

// trialLook is how often a trial looks. It is part of what it measures.
const trialLook = 5 * time.Millisecond

// Trials runs n trials, so many at once, and adds the times that they took to the report.
func (on *Environment) Trials(ctx context.Context, name string, n, atOnce int,
	trial func(ctx context.Context, i int) (time.Duration, error),
) (*Percentiles, error) {
	on.Tell("%s: %d trials", name, n)
	watch, profile := on.Watch(nil), on.profile(ctx, name)
	began, found := time.Now(), newTally()
	var mu sync.Mutex
	var failed error
	var next atomic.Int64
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				took, err := trial(ctx, i)
				mu.Lock()
				if err != nil {
					failed = errors.Join(failed, fmt.Errorf("trial %d: %w", i, err))
					next.Store(int64(n)) // no more
				} else {
					found.add("", took, "", "")
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	p := &Phase{
		Name: name, Seconds: time.Since(began).Seconds(),
		Latency: map[string]*Percentiles{All: PercentilesOf(found.times[All])}, Usage: watch.End(),
	}
	p.Requests = p.Latency[All].Count
	on.Add(p)
	if failed = errors.Join(failed, profile()); failed != nil {
		return nil, fmt.Errorf("%s: %w", name, failed)
	}
	return p.Latency[All], ctx.Err()
}

// Seen is how long it takes from now until look says yes.
func Seen(ctx context.Context, what string, look func() (bool, error)) (time.Duration, error) {
	return SeenSince(ctx, time.Now(), what, look)
}

// SeenSince is how long it takes from began on until look says yes.
func SeenSince(ctx context.Context, began time.Time, what string, look func() (bool, error)) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, trialLimit, fmt.Errorf("it did not show within %s", trialLimit))
	defer cancel()
	err := Until(ctx, trialLook, what, look)
	return time.Since(began), err
}
