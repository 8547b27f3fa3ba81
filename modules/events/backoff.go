package events

import (
	"context"
	"time"
)

// backoff doubles a pause up to a bound.
type backoff struct{ next time.Duration }

const (
	firstPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second
)

func (b *backoff) wait(ctx context.Context) error {
	if b.next == 0 {
		b.next = firstPause
	}
	err := wait(ctx, b.next)
	b.next = min(2*b.next, mostPause)
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
