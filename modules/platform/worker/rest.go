package worker

import (
	"sync/atomic"
	"time"
)

// Rest is the time that something which could always go on leaves to others after each step: so many times
// what the step took. A busy server, which is slower, gets fewer of them. It is safe for concurrent use.
type Rest struct {
	times int
	most  time.Duration
	until atomic.Int64 // in nanoseconds since 1970
}

// NewRest makes a rest that none has begun of, of most at most; 0: without a bound.
func NewRest(times int, most time.Duration) *Rest { return &Rest{times: times, most: most} }

// Begin begins a rest: the step has ended.
func (r *Rest) Begin(took time.Duration) {
	rest := time.Duration(r.times) * took
	if r.most > 0 {
		rest = min(rest, r.most)
	}
	r.until.Store(time.Now().Add(rest).UnixNano())
}

// Left is how long it still lasts; not above 0 when it is over.
func (r *Rest) Left() time.Duration { return time.Duration(r.until.Load() - time.Now().UnixNano()) }
