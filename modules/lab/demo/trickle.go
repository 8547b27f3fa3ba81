package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// trickleEvery is the pace of the trickle: 20 requests a second.
const trickleEvery = 50 * time.Millisecond

// trickle asks for feeds all the time, each request in its own goroutine so that a slow one holds up
// no other, and counts how they are answered.
type trickle struct {
	tour   *tour
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	killed time.Time // when ClickHouse was gone
	tally
}

// tally is how requests were answered.
type tally struct {
	requests int
	without  int     // of them made after ClickHouse was gone, and answered
	failures []error // anything but 200
	wrong    []error // pages that do not hold
	served   map[string]int
	slowest  time.Duration
	first    time.Duration // from the kill to the first answer to a request made after it
}

func (t *tour) startTrickle(ctx context.Context) *trickle {
	k := &trickle{tour: t, tally: tally{served: map[string]int{}}}
	ctx, k.cancel = context.WithCancel(ctx)
	asked, _ := t.cast.split()
	users := append([]core.ID{t.cast.viewer}, asked...)
	k.ended.Go(func() {
		ticker := time.NewTicker(trickleEvery)
		defer ticker.Stop()
		for i := 0; ; i++ {
			k.ended.Go(func() { k.ask(ctx, users[i%len(users)]) })
			if tick(ctx, ticker) != nil {
				return
			}
		}
	})
	return k
}

// askNow asks for the viewer's feed at once, whatever the pace.
func (k *trickle) askNow(ctx context.Context) {
	k.ended.Go(func() { k.ask(ctx, k.tour.cast.viewer) })
}

// stop ends the trickle. Requests on their way are waited for, but count no more.
func (k *trickle) stop() {
	k.cancel()
	k.ended.Wait()
}

func (k *trickle) ask(ctx context.Context, user core.ID) {
	started := time.Now()
	p, err := k.tour.client.feed(ctx, user, 20, false)
	took := time.Since(started)
	if ctx.Err() != nil {
		return
	}
	var wrong error
	if err == nil {
		if wrong = p.check(ctx, k.tour.db, user); ctx.Err() != nil {
			return
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests++
	if err != nil {
		k.failures = append(k.failures, err)
		return
	}
	if wrong != nil {
		k.wrong = append(k.wrong, wrong)
	}
	k.slowest = max(k.slowest, took)
	if k.killed.IsZero() || started.Before(k.killed) {
		return
	}
	k.without++
	k.served[p.ServedFrom]++
	if k.first == 0 {
		k.first = time.Since(k.killed)
	}
}

// kill notes that ClickHouse is gone from now on.
func (k *trickle) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.killed = time.Now()
}

// counts copies what was counted.
func (k *trickle) counts() tally {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.tally
	c.failures, c.wrong, c.served = slices.Clone(c.failures), slices.Clone(c.wrong), maps.Clone(c.served)
	return c
}

// places tells how many answers came from where.
func (c *tally) places() string {
	words := make([]string, 0, len(c.served))
	for _, from := range slices.Sorted(maps.Keys(c.served)) {
		words = append(words, fmt.Sprintf("%s %d", from, c.served[from]))
	}
	return strings.Join(words, ", ")
}
