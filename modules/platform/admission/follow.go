package admission

import (
	"context"
	"math"
	"runtime/metrics"
	"time"
)

// lookEvery is how often the limit follows the processors; it falls at the second look in a row.
const lookEvery = 100 * time.Millisecond

// Run follows the processors until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			g.follow(g.delay.since())
		}
	}
}

// follow lowers the limit by a fifth of what is inside while the delay is above the target, and raises
// it by a tenth where the limit was in the way or the delay is low: the way in which TCP shares a line.
// With hardly a request inside it is not they that keep the processors busy, and refusing helps nobody.
func (g *Gate) follow(delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	asking := g.inside + g.waitingNow()
	if g.above++; delay <= g.cfg.TargetDelay || asking <= g.cfg.MinConcurrent/2 {
		g.above = 0
	}
	switch {
	case g.above == 1: // a hiccup, perhaps
	case g.above > 1:
		g.limit = max(g.cfg.MinConcurrent, min(g.limit, asking)*4/5)
		g.pressedAt = g.clock.Now()
	case g.reached || delay < g.cfg.TargetDelay/2:
		g.limit = min(g.cfg.MaxConcurrent, g.limit+max(1, g.limit/10))
		g.letIn()
	}
	g.reached = false
}

// delays reads how long goroutines that were ready to run waited for a processor.
type delays struct {
	sample []metrics.Sample
	before []uint64
}

// waited is the part of goroutines that must have waited less than the delay.
const waited = 0.9

func newDelays() *delays {
	return &delays{sample: []metrics.Sample{{Name: "/sched/latencies:seconds"}}}
}

// since is the delay that nine in ten were below since it was last asked.
func (d *delays) since() time.Duration {
	metrics.Read(d.sample)
	if d.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0 // a Go that does not say: the limit stays open
	}
	h := d.sample[0].Value.Float64Histogram()
	first := d.before == nil
	if first {
		d.before = make([]uint64, len(h.Counts))
	}
	all := uint64(0)
	for i, n := range h.Counts {
		n, d.before[i] = n-d.before[i], n
		h.Counts[i] = n // the histogram is ours until the next Read
		all += n
	}
	if first || all == 0 {
		return 0
	}
	below := uint64(0)
	for i, n := range h.Counts {
		if below += n; float64(below) >= waited*float64(all) {
			if upper := h.Buckets[i+1]; !math.IsInf(upper, 1) {
				return time.Duration(upper * float64(time.Second))
			}
			return time.Duration(h.Buckets[i] * float64(time.Second))
		}
	}
	return 0
}
