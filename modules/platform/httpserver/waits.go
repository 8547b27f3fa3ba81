package httpserver

import (
	"container/list"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// waits bounds what waits for clients: bodies that come, and answers that are read. Each costs something
// while it waits; when all together cost too much, the one that has waited longest is ended. A client that
// is as fast as others hardly ever is that one, whatever the slow ones do.
type waits struct {
	most  int64
	ended prometheus.Counter

	mu    sync.Mutex
	costs int64
	order list.List // of *wait, the longest first
}

// wait is one of them.
type wait struct {
	cost  int64
	end   func()        // has what it waits for fail at once; called under the lock, and never after leave
	at    *list.Element // nil: it waits no more, but still costs
	ended bool
}

// enter lets one begin; leave must follow. False: even without the others it costs too much.
func (w *waits) enter(cost int64, end func()) (*wait, bool) {
	one := &wait{end: end}
	w.mu.Lock()
	defer w.mu.Unlock()
	one.at = w.order.PushBack(one)
	if w.charge(one, cost) {
		return one, true
	}
	w.leave(one)
	return nil, false
}

// grow has one cost more. False: there is no room, or it was ended for another.
func (w *waits) grow(one *wait, by int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !one.ended && w.charge(one, by)
}

func (w *waits) charge(one *wait, by int64) bool {
	for w.costs+by > w.most {
		front := w.order.Front()
		if front == nil || front == one.at {
			return false
		}
		longest, _ := front.Value.(*wait)
		longest.ended = true
		longest.end()
		w.ended.Inc()
		w.leave(longest)
	}
	w.costs += by
	one.cost += by
	return true
}

// arrived tells that one waits no more; it goes on to cost until it leaves.
func (w *waits) arrived(one *wait) (inTime bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.at != nil {
		w.order.Remove(one.at)
		one.at = nil
	}
	return !one.ended
}

// quit ends one for good.
func (w *waits) quit(one *wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave(one)
}

// leave has one cost no more. The caller holds the lock.
func (w *waits) leave(one *wait) {
	if one.at != nil {
		w.order.Remove(one.at)
		one.at = nil
	}
	w.costs -= one.cost
	one.cost = 0
}

func (w *waits) cost() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return float64(w.costs)
}
