package events

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/platform/worker"
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
	err := worker.Pause(ctx, b.next)
	b.next = min(2*b.next, mostPause)
	return err
}
