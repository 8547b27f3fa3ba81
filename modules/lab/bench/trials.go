package bench

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
func (on *Stage) Trials(ctx context.Context, name string, n, atOnce int,
	trial func(ctx context.Context, i int) (time.Duration, error),
) (*Percentiles, error) {
	on.Tell("%s: %d trials", name, n)
	watch, profile := on.watch(nil), on.profile(ctx, name)
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
		Latency: map[string]*Percentiles{all: percentiles(found.times[all])}, Usage: watch.end(),
	}
	p.Requests = p.Latency[all].Count
	on.report.Phases = append(on.report.Phases, p)
	if failed = errors.Join(failed, profile()); failed != nil {
		return nil, fmt.Errorf("%s: %w", name, failed)
	}
	return p.Latency[all], ctx.Err()
}

// seen is how long it takes from now until look says yes.
func seen(ctx context.Context, what string, look func() (bool, error)) (time.Duration, error) {
	return seenSince(ctx, time.Now(), what, look)
}

func seenSince(ctx context.Context, began time.Time, what string, look func() (bool, error)) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, trialLimit, fmt.Errorf("it did not show within %s", trialLimit))
	defer cancel()
	err := until(ctx, trialLook, what, look)
	return time.Since(began), err
}
