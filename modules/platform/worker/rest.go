package worker

import (
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Rest is the time that something which could always go on leaves to others after each step: so many times
// what the step took. A busy server, which is slower, gets fewer of them. It is safe for concurrent use.
type Rest struct {
	clock core.Clock
	times int
	most  time.Duration

	mu    sync.Mutex
	began time.Time
	lasts time.Duration
}

// NewRest makes a rest that none has begun of, of most at most; 0: without a bound.
func NewRest(clock core.Clock, times int, most time.Duration) *Rest {
	return &Rest{clock: clock, times: times, most: most}
}

// Begin begins a rest: the step has ended.
func (r *Rest) Begin(took time.Duration) {
	lasts := time.Duration(r.times) * took
	if r.most > 0 {
		lasts = min(lasts, r.most)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.lasts = r.clock.Now(), lasts
}

// Left is how long it still lasts; not above 0 when it is over, or when the clock was set back.
func (r *Rest) Left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := r.clock.Now().Sub(r.began)
	if passed < 0 {
		return 0
	}
	return r.lasts - passed
}
