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

// Next is how long Wait will pause.
func (b *Backoff) Next() time.Duration { return max(b.next, b.Least) }

// Reset begins with Least again.
func (b *Backoff) Reset() { b.next = 0 }

// Wait pauses until it is time to try again, or returns ctx's error.
func (b *Backoff) Wait(ctx context.Context) error {
	pause := b.Next()
	b.next = min(2*pause, b.Most)
	return Pause(ctx, pause)
}
