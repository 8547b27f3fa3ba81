package updates

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Counter counts new posts.
type Counter interface {
	// CountForStream is the number of posts since a moment that a viewer may see, and whom they follow. again says that
	// the stream is open: then nothing is computed for it, and what cannot be told for certain is an error.
	CountForStream(ctx context.Context, viewer core.ID, since time.Time, again bool) (int, []core.ID, error)
	Overloaded() bool // what nobody waits for should not begin
}

// Updates are the open streams, and what is heard of that may change what they are told. It is safe for concurrent use.
type Updates struct {
	cfg     Config
	counter Counter
	hot     *hot.Set
	clock   core.Clock
	metrics *metrics
	workers *worker.Group
	changes atomic.Int64 // that were heard of
	watches atomic.Int64

	inbox   sync.Mutex       // authors of whom something changed; it is never held for long
	authors map[core.ID]bool // and whether that was their account
	all     bool
	arrived chan struct{}

	mu       sync.Mutex
	byViewer map[core.ID][]*watch
	byAuthor map[core.ID][]*entry
	edges    int      // in byAuthor, alive
	dead     int      // in byAuthor
	later    []*watch // queued, and not due yet
	queue    chan *watch
}

// New makes it, with no stream.
func New(cfg Config, counter Counter, set *hot.Set, clock core.Clock, reg prometheus.Registerer) *Updates {
	u := &Updates{
		cfg: cfg, counter: counter, hot: set, clock: clock, workers: worker.NewGroup(nil),
		authors: map[core.ID]bool{}, arrived: make(chan struct{}, 1),
		byViewer: map[core.ID][]*watch{}, byAuthor: map[core.ID][]*entry{},
		queue: make(chan *watch, cfg.MaxStreams),
	}
	u.metrics = newMetrics(reg, func() float64 {
		u.mu.Lock()
		defer u.mu.Unlock()
		return float64(u.edges)
	})
	set.Observe(u.Changed)
	return u
}

// Start begins to count.
func (u *Updates) Start(context.Context) error {
	u.workers.Go("hear what changes for open streams", u.dispatch)
	u.workers.Go("count again when it is time", u.rounds)
	for range u.cfg.AtOnce {
		u.workers.Go("count for open streams", u.count)
	}
	return nil
}

// Stop ends it.
func (u *Updates) Stop(ctx context.Context) error { return u.workers.Stop(ctx) }

// Changed notes that a post of an author, or in a group, came, went or changed; of 0, that all may have. It does not
// wait.
func (u *Updates) Changed(authorOrGroup core.ID) { u.note(authorOrGroup, false) }

func (u *Updates) note(author core.ID, account bool) {
	u.changes.Add(1)
	if u.watches.Load() == 0 {
		return
	}
	u.inbox.Lock()
	if author.Valid() {
		u.authors[author] = account || u.authors[author]
	} else {
		u.all = true
	}
	u.inbox.Unlock()
	select {
	case u.arrived <- struct{}{}:
	default:
	}
}

// ViewerChanged notes that what a viewer may see is another.
func (u *Updates) ViewerChanged(viewer core.ID) {
	u.changes.Add(1)
	if u.watches.Load() == 0 {
		return
	}
	now := u.clock.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, w := range u.byViewer[viewer] {
		u.mark(w, now)
	}
}

// Hear takes over what viewers and people change.
func (u *Updates) Hear(changes []core.Change) {
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case core.Followed, core.Unfollowed, core.Blocked, core.Unblocked:
			u.ViewerChanged(c.Viewer)
			u.ViewerChanged(c.Other)
		case core.Muted, core.Unmuted, core.JoinedGroup, core.LeftGroup, core.HidPost, core.UnhidPost:
			u.ViewerChanged(c.Viewer)
		case core.UserGone, core.UserBack:
			u.note(c.Viewer, true)
		case core.TableCleared, core.TableReread:
			u.Changed(0)
		case core.PostPut, core.PostDeleted, core.PostUnclear, core.UserUnclear: // the hot set tells
		}
	}
}

// mark has a watch counted again, as soon as it is due. The caller holds the lock.
func (u *Updates) mark(w *watch, now time.Time) {
	if w.changed.IsZero() {
		w.changed = now
	}
	if w.queued {
		return
	}
	w.queued = true
	if !w.counting && !w.due.After(now) {
		select {
		case u.queue <- w:
			return
		default: // it holds some that have ended
		}
	}
	u.later = append(u.later, w)
}

// dispatch finds the streams of those who follow an author.
func (u *Updates) dispatch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.arrived:
		}
		u.distribute()
	}
}

// distribute marks the streams that what was heard of concerns.
func (u *Updates) distribute() {
	u.inbox.Lock()
	authors, all := u.authors, u.all
	u.authors, u.all = map[core.ID]bool{}, false
	u.inbox.Unlock()
	who := make(map[core.ID]struct{}, len(authors))
	for author, account := range authors {
		if who[author] = struct{}{}; account {
			u.addGroupsOf(author, who)
		}
	}
	u.markFollowers(who, all)
}

// addGroupsOf adds the groups in which an author's posts are.
func (u *Updates) addGroupsOf(author core.ID, to map[core.ID]struct{}) {
	set := u.hot.View()
	defer set.Close()
	set.ByAuthor(author, func(p *hot.Post) bool {
		if p.Group.Valid() {
			to[p.Group] = struct{}{}
		}
		return true
	})
}

func (u *Updates) markFollowers(authors map[core.ID]struct{}, all bool) {
	now := u.clock.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if all {
		for _, of := range u.byViewer {
			for _, w := range of {
				u.mark(w, now)
			}
		}
		return
	}
	for author := range authors {
		for _, e := range u.alive(author) {
			u.mark(e.of, now)
		}
	}
}

// roundEvery is how often it is looked for what is due.
const roundEvery = 250 * time.Millisecond

// rounds see to what has become due: streams that were counted a moment ago, and posts that were dated ahead.
func (u *Updates) rounds(ctx context.Context) error {
	last := u.clock.Now()
	for worker.Pause(ctx, roundEvery) == nil {
		now := u.clock.Now()
		if u.watches.Load() > 0 {
			u.becomeDue(last, now)
		}
		last = now
		u.release(now)
		u.sweep()
	}
	return nil
}

// becomeDue notes posts whose time has come.
func (u *Updates) becomeDue(since, until time.Time) {
	set := u.hot.View()
	defer set.Close()
	ahead := u.hot.Tolerance()
	set.DueSince(since.Add(ahead), until.Add(ahead), func(p *hot.Post) bool {
		u.Changed(p.Author)
		if p.Group.Valid() {
			u.Changed(p.Group)
		}
		return true
	})
}

// release queues what has become due.
func (u *Updates) release(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	waiting := u.later
	u.later = nil
	for _, w := range waiting {
		w.queued = false
		if w.known != nil {
			u.mark(w, now)
		}
	}
}
