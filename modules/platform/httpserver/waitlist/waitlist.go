// Package waitlist bounds what waits for clients. When all together cost too much, the one that has waited
// longest is ended.
package waitlist

import (
	"container/list"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// List bounds what waits for clients: bodies that come, and answers that are read. Each costs something
// while it waits; when all together cost too much, the one that has waited longest is ended. A client that
// is as fast as others hardly ever is that one, whatever the slow ones do.
type List struct {
	most  int64
	ended prometheus.Counter

	mu    sync.Mutex
	costs int64
	order list.List // of *Wait, the longest first
}

// New bounds what may be waited for at once; ended counts what was ended for others.
func New(most int64, ended prometheus.Counter) *List { return &List{most: most, ended: ended} }

// Wait is one of them.
type Wait struct {
	cost  int64
	end   func()        // has what it waits for fail at once; called under the lock, and never after Quit
	at    *list.Element // nil: it waits no more, but still costs
	ended bool
}

// Enter lets one begin; Quit must follow. False: even without the others it costs too much.
func (w *List) Enter(cost int64, end func()) (*Wait, bool) {
	one := &Wait{end: end}
	w.mu.Lock()
	defer w.mu.Unlock()
	one.at = w.order.PushBack(one)
	if w.charge(one, cost) {
		return one, true
	}
	w.leave(one)
	return nil, false
}

// Grow has one cost more. False: there is no room, or it was ended for another.
func (w *List) Grow(one *Wait, by int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !one.ended && w.charge(one, by)
}

func (w *List) charge(one *Wait, by int64) bool {
	for w.costs+by > w.most {
		front := w.order.Front()
		if front == nil || front == one.at {
			return false
		}
		longest, _ := front.Value.(*Wait)
		longest.ended = true
		longest.end()
		w.ended.Inc()
		w.leave(longest)
	}
	w.costs += by
	one.cost += by
	return true
}

// Arrived tells that one waits no more; it goes on to cost until it leaves.
func (w *List) Arrived(one *Wait) (inTime bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.at != nil {
		w.order.Remove(one.at)
		one.at = nil
	}
	return !one.ended
}

// Quit ends one for good.
func (w *List) Quit(one *Wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave(one)
}

// leave has one cost no more. The caller holds the lock.
func (w *List) leave(one *Wait) {
	if one.at != nil {
		w.order.Remove(one.at)
		one.at = nil
	}
	w.costs -= one.cost
	one.cost = 0
}

// Cost is what all cost together.
func (w *List) Cost() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return float64(w.costs)
}
