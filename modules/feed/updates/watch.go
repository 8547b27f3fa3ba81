package updates

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// stream is where a watch sends what it tells.
type stream interface{ Send(event []byte) }

// watch is one open stream. Its fields are under the lock of Updates, but for those that never change.
type watch struct {
	viewer core.ID
	since  time.Time
	stream stream

	told     int
	known    *entry // under which byAuthor has it; nil: it ended
	follows  int    // authors under whom it stands
	sum      uint64 // of these, to see whether they are others
	queued   bool   // it is to be counted again
	counting bool
	due      time.Time // not before
	changed  time.Time // the first change that it was not counted for
}

// entry is one watch in the lists of authors. It is dead once the watch has another, or ended: lists are rid of it
// later, all at once.
type entry struct{ of *watch }

func (e *entry) dead() bool { return e.of.known != e }

// sumOf tells sets of people apart.
func sumOf(people []core.ID) (sum uint64) {
	for _, id := range people {
		x := uint64(id) + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		sum += x ^ x>>31 // the order does not matter
	}
	return sum
}

// Watch counts for a viewer, and has the stream told from then on, until end is called. first is an event to begin
// with; nil where the number is what the client was told.
func (u *Updates) Watch(ctx context.Context, viewer core.ID, at Position, to stream) (
	first []byte, end func(), err error,
) {
	before := u.changes.Load()
	n, follows, err := u.counter.CountForStream(ctx, viewer, at.Since, false)
	if err != nil {
		return nil, nil, err
	}
	w := &watch{viewer: viewer, since: at.Since, stream: to, told: min(n, Most+1)}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.edges+len(follows) > u.cfg.MaxFollows {
		u.metrics.refused.Inc()
		return nil, nil, &core.Error{
			Code: core.CodeOverloaded, RetryAfter: 10 * u.cfg.Retry,
			Message: "viewers with an open stream follow as many as this replica may remember; ask from time to time instead",
		}
	}
	u.open(w, follows)
	if u.changes.Load() != before { // what came while it was counted may not be in the number
		u.mark(w, u.clock.Now())
	}
	if w.told != at.Told {
		first = event(Position{w.since, w.told})
	}
	return first, func() { u.end(w) }, nil
}

// open takes a watch in. The caller holds the lock.
func (u *Updates) open(w *watch, follows []core.ID) {
	u.byViewer[w.viewer] = append(u.byViewer[w.viewer], w)
	w.due = u.clock.Now().Add(interval(w.told))
	u.watches.Add(1)
	u.list(w, follows, sumOf(follows))
}

// list puts a watch into the lists of whom its viewer follows. The caller holds the lock.
func (u *Updates) list(w *watch, follows []core.ID, sum uint64) {
	u.dead += w.follows
	u.edges += len(follows) - w.follows
	w.known, w.follows, w.sum = &entry{w}, len(follows), sum
	for _, author := range follows {
		u.byAuthor[author] = append(u.byAuthor[author], w.known)
	}
}

// end takes a watch out.
func (u *Updates) end(w *watch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	of := u.byViewer[w.viewer]
	for i, one := range of {
		if one == w {
			of[i] = of[len(of)-1]
			of[len(of)-1] = nil
			u.byViewer[w.viewer] = of[:len(of)-1]
		}
	}
	if len(u.byViewer[w.viewer]) == 0 {
		delete(u.byViewer, w.viewer)
	}
	u.edges -= w.follows
	u.dead += w.follows
	w.known, w.follows = nil, 0
	u.watches.Add(-1)
}

// sweep rids the lists of the dead once there are as many of them as of others.
func (u *Updates) sweep() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.dead <= u.edges+1000 {
		return
	}
	for author := range u.byAuthor {
		u.alive(author)
	}
	u.dead = 0
}

// alive is the list of an author without the dead. The caller holds the lock.
func (u *Updates) alive(author core.ID) []*entry {
	list := u.byAuthor[author]
	kept := list[:0]
	for _, e := range list {
		if !e.dead() {
			kept = append(kept, e)
		}
	}
	clear(list[len(kept):])
	switch {
	case len(kept) == 0:
		delete(u.byAuthor, author)
		return nil
	case cap(kept) > 4*len(kept)+16:
		kept = append(make([]*entry, 0, len(kept)), kept...)
	}
	u.byAuthor[author] = kept
	return kept
}
