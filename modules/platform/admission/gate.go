package admission

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
)

// Class is how urgent a request is.
type Class uint8

// The classes, the less urgent first.
const (
	Call Class = iota
	Feed
	classes
)

func (c Class) String() string { return [classes]string{"call", "feed"}[c] }

// share is the part of the limit, in quarters, up to which a class is let in.
func (c Class) share() int { return [classes]int{3, 4}[c] }

// computingShare is the part of the limit, in quarters, that may compute at once.
const computingShare = 2

// Gate lets requests in. A nil Gate lets everything in. It is safe for concurrent use.
type Gate struct {
	cfg     Config
	clock   core.Clock
	delay   *delays
	refused *prometheus.CounterVec

	mu        sync.Mutex
	limit     int
	inside    int
	computing int
	waiting   [classes][]*waiter // the latest is the last
	reached   bool               // the limit was in the way since the last look
	above     int                // looks in a row at which the delay was above the target
	pressedAt time.Time          // when it last was, or the processors did not keep up
}

type waiter struct {
	class Class
	in    chan bool // true: it has a place; false: it made room
}

// New makes a gate that is open as far as it goes. Start has it look at the processors.
func New(cfg Config, clock core.Clock, reg prometheus.Registerer) *Gate {
	g := &Gate{cfg: cfg, clock: clock, delay: newDelays(), limit: cfg.MaxConcurrent}
	g.observe(reg)
	return g
}

// Enter returns when the request may begin; Leave must follow. An error is what the client is told.
func (g *Gate) Enter(ctx context.Context, class Class) error {
	if g == nil {
		return nil
	}
	w := g.enter(class)
	if w == nil {
		return nil
	}
	timer := time.NewTimer(g.cfg.MaxWait)
	defer timer.Stop()
	select {
	case in := <-w.in:
		if in {
			return nil
		}
	case <-timer.C:
		if g.giveUp(w) {
			return nil
		}
	case <-ctx.Done():
		if g.giveUp(w) {
			return nil // the place came at the same moment; the handler sees that the client is gone
		}
	}
	g.refused.WithLabelValues(class.String()).Inc()
	return g.overloaded("too many requests at once; try again")
}

// enter lets in, or has wait.
func (g *Gate) enter(class Class) *waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fits(class) {
		g.inside++
		return nil
	}
	g.reached, g.pressedAt = true, g.clock.Now()
	w := &waiter{class: class, in: make(chan bool, 1)}
	if g.cfg.MaxWait == 0 || g.cfg.MaxWaiting == 0 {
		w.in <- false
		return w
	}
	if g.waitingNow() >= g.cfg.MaxWaiting {
		g.makeRoom()
	}
	g.waiting[class] = append(g.waiting[class], w)
	return w
}

func (g *Gate) fits(class Class) bool { return g.inside < max(1, g.limit*class.share()/4) }

func (g *Gate) waitingNow() (n int) {
	for _, of := range g.waiting {
		n += len(of)
	}
	return n
}

// makeRoom refuses who has waited longest of the least urgent.
func (g *Gate) makeRoom() {
	for class := range g.waiting {
		if of := g.waiting[class]; len(of) > 0 {
			of[0].in <- false
			g.waiting[class] = slices.Delete(of, 0, 1)
			return
		}
	}
}

// giveUp ends a wait, unless a place was given meanwhile.
func (g *Gate) giveUp(w *waiter) (hasPlace bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.waiting[w.class]
	if i := slices.Index(of, w); i >= 0 {
		g.waiting[w.class] = slices.Delete(of, i, i+1)
		return false
	}
	return <-w.in
}

// Leave gives a place back: to the most urgent, and of these to who came last. Who has waited long has
// a client who waits no more.
func (g *Gate) Leave() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.letIn()
}

func (g *Gate) letIn() {
	for class := classes; class > 0; {
		class--
		for of := g.waiting[class]; len(of) > 0 && g.fits(class); of = g.waiting[class] {
			g.inside++
			last := len(of) - 1
			of[last].in <- true
			of[last] = nil
			g.waiting[class] = of[:last]
		}
	}
}

// Compute tells whether a request that was let in may compute what is not cached; Computed must follow
// if it may. It does not wait: a computation that begins late ends too late.
func (g *Gate) Compute() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.computing < max(1, g.limit*computingShare/4) {
		g.computing++
		return nil
	}
	g.reached, g.pressedAt = true, g.clock.Now()
	g.refused.WithLabelValues("computing").Inc()
	return g.overloaded("too much is being computed; try again")
}

// Computed ends what Compute has let begin.
func (g *Gate) Computed() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.computing--
}

// pressedFor is how long after the last sign of it a replica counts as having enough to do.
const pressedFor = 2 * time.Second

// Overloaded tells whether there is enough to do without what nobody waits for.
func (g *Gate) Overloaded() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return core.Within(pressedFor, g.pressedAt, g.clock.Now())
}

func (g *Gate) overloaded(message string) error {
	return &core.Error{
		Code: core.CodeOverloaded, Message: message,
		RetryAfter: g.cfg.RetryAfter + rand.N(g.cfg.RetryAfter+1),
	}
}
