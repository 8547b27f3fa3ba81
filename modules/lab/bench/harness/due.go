package harness

import (
	"context"
	"iter"
	"time"
)

// Due gives the numbers of requests from 0, each when it is due: n at n/rate after the first, whatever became of those
// before it. It ends with ctx.
func Due(ctx context.Context, rate float64) iter.Seq2[int, time.Time] {
	return func(yield func(int, time.Time) bool) {
		start, timer := time.Now(), time.NewTimer(0)
		defer timer.Stop()
		for n := 0; ; n++ {
			due := start.Add(time.Duration(float64(n) / rate * float64(time.Second)))
			if ahead := time.Until(due); ahead > 0 {
				timer.Reset(ahead)
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil || !yield(n, due) {
				return
			}
		}
	}
}
