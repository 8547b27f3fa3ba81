package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// latencies are the times of some trials.
type latencies []time.Duration

// percentile is the smallest time that p of 100 trials did not exceed (nearest rank).
func (l latencies) percentile(p int) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return sorted[max(0, (p*len(sorted)+99)/100-1)]
}

func (l latencies) String() string {
	return fmt.Sprintf("P50 %s, P95 %s, longest %s over %d trials", short(l.percentile(50)), short(l.percentile(95)),
		short(l.percentile(100)), len(l))
}

func (l latencies) figures(name string) []Figure {
	millis := func(p int) string { return fmt.Sprint(l.percentile(p).Milliseconds()) }
	return []Figure{
		{name + "_p50_ms", millis(50)},
		{name + "_p95_ms", millis(95)},
		{name + "_max_ms", millis(100)},
		{name + "_trials", fmt.Sprint(len(l))},
	}
}

// How trials are run.
const (
	lookEvery = 10 * time.Millisecond
	// A trial begins at a random moment: what it waits for may come in a beat, and trials that began
	// right after a beat would all take the longest.
	spread = 600 * time.Millisecond
)

// errNotVisible is returned when something did not show in time.
var errNotVisible = errors.New("it did not show")

// trials begins something n times, in a few slots at once, and measures how long each takes to be
// seen. begin does it, for a slot that is free; look reads once and tells which slots are seen now.
func trials(ctx context.Context, limit time.Duration, n, slots int, begin func(ctx context.Context, slot int) error,
	look func(ctx context.Context) (func(slot int) bool, error),
) (latencies, error) {
	var times latencies
	began, begunAt, next := 0, make([]time.Time, slots), make([]time.Time, slots)
	for slot := range next {
		next[slot] = time.Now().Add(rand.N(spread))
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for len(times) < n {
		for slot := range slots {
			if begunAt[slot].IsZero() && began < n && time.Now().After(next[slot]) {
				began++
				begunAt[slot] = time.Now()
				if err := begin(ctx, slot); err != nil {
					return times, fmt.Errorf("trial %d: %w", began, err)
				}
			}
		}
		seen, err := look(ctx)
		if err != nil {
			return times, err
		}
		for slot, at := range begunAt {
			switch took := time.Since(at); {
			case at.IsZero():
			case seen(slot):
				times = append(times, took)
				begunAt[slot], next[slot] = time.Time{}, time.Now().Add(rand.N(spread))
			case took > limit:
				return times, fmt.Errorf("%w within %s", errNotVisible, limit)
			}
		}
		if err := tick(ctx, ticker); err != nil {
			return times, err
		}
	}
	return times, nil
}

// until asks every so often until the answer is yes, and tells how long it took. An error of the
// question ends it; so does the limit.
func until(ctx context.Context, limit, every time.Duration,
	question func(context.Context) (bool, error),
) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w within %s", errNotVisible, limit))
	defer cancel()
	started := time.Now()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		yes, err := question(ctx)
		took := time.Since(started)
		switch {
		case ctx.Err() != nil:
			return took, context.Cause(ctx)
		case err != nil:
			return took, err
		case yes:
			return took, nil
		}
		if err := tick(ctx, ticker); err != nil {
			return time.Since(started), err
		}
	}
}

func tick(ctx context.Context, ticker *time.Ticker) error {
	select {
	case <-ticker.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
