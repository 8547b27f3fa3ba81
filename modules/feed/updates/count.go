package updates

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// yield is how long counting waits for those whom somebody waits for.
const yield = 100 * time.Millisecond

// count counts again for one stream after the other.
func (u *Updates) count(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-u.queue:
			for u.counter.Overloaded() && worker.Pause(ctx, yield) == nil {
				continue
			}
			u.countOne(ctx, w)
		}
	}
}

// countOne counts for a stream, and tells it if the number is another.
func (u *Updates) countOne(ctx context.Context, w *watch) {
	changed, ok := u.begin(w)
	if !ok {
		return
	}
	n, follows, err := u.counter.CountForStream(ctx, w.viewer, w.since, true)
	now := u.clock.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	w.counting = false
	switch {
	case w.known == nil: // it ended meanwhile
		return
	case err != nil:
		u.metrics.counts.WithLabelValues("failed").Inc()
		w.due = now.Add(u.cfg.RetryFailed)
		u.mark(w, changed)
		return
	}
	if sum := sumOf(follows); sum != w.sum {
		u.list(w, follows, sum)
	}
	if n = min(n, Most+1); n == w.told {
		u.metrics.counts.WithLabelValues("same").Inc()
	} else {
		u.metrics.counts.WithLabelValues("told").Inc()
		u.metrics.seconds.Observe(now.Sub(changed).Seconds())
		w.told = n
		w.stream.Send(event(Position{w.since, n}))
	}
	w.due = now.Add(interval(n))
}

// begin takes a stream up: what changes from now on has it counted once more.
func (u *Updates) begin(w *watch) (changed time.Time, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w.queued = false
	if w.known == nil || w.counting {
		return time.Time{}, false
	}
	changed, w.changed, w.counting = w.changed, time.Time{}, true
	return changed, true
}
