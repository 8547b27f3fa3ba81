package worker

import (
	"context"
	"time"
)

// Backoff doubles a pause from Least up to Most.
type Backoff struct {
	Least, Most time.Duration
	next        time.Duration
}

// Wait pauses until it is time to try again, or returns ctx's error.
func (b *Backoff) Wait(ctx context.Context) error {
	pause := max(b.next, b.Least)
	b.next = min(2*pause, b.Most)
	return Pause(ctx, pause)
}
