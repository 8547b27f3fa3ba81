package recentedges

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// maxRows bounds what is remembered, about 300 bytes a row; the oldest are forgotten first.
const maxRows = 1 << 16

// Edges are the rows that came up or went lately. Of a row that went, and of which it is not told between
// whom it was, only what was heard is taken back, and the rest is left to ClickHouse: another row may
// say the same. It is safe for concurrent use.
type Edges struct {
	clock   core.Clock
	most    int
	mutuals bool // it matters who follows a viewer

	mu       sync.RWMutex
	byViewer map[core.ID][]note
	rows     map[string]row
	queue    []queued // oldest first; of a row that came again, both
	n        uint64
}

// note is what one row means to one viewer.
type note struct {
	row   string
	patch reserve.Patch
	at    time.Time
	until time.Time // zero: it does not end by itself
}

type row struct {
	viewers [2]core.ID // the second is whom it is about, if it means something to them
	n       uint64
}

type queued struct {
	row string
	n   uint64
}

// New makes it, empty.
func New(clock core.Clock, reg prometheus.Registerer) *Edges {
	e := &Edges{clock: clock, most: maxRows, byViewer: map[core.ID][]note{}, rows: map[string]row{}}
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feedrank_feed_recent_edges",
		Help: "Follows, blocks, mutes, memberships and hides that this replica heard of from Kafka and still remembers, at most 65,536.",
	}, func() float64 {
		e.mu.RLock()
		defer e.mu.RUnlock()
		return float64(len(e.rows))
	}))
	return e
}

// WithMutuals has it remember, too, who follows a viewer.
func (e *Edges) WithMutuals(on bool) *Edges {
	e.mutuals = on
	return e
}

// Apply takes changes over. Those of one row must come in their order.
func (e *Edges) Apply(changes []core.Change) {
	now := e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case core.Followed:
			e.put(c, now, e.back(reserve.PatchFollowedBack))
		case core.Unfollowed:
			e.put(c, now, e.back(reserve.PatchUnfollowedBack))
		case core.Blocked: // neither sees the other
			e.put(c, now, reserve.PatchBlockedBy)
		case core.Unblocked:
			e.put(c, now, reserve.PatchUnblockedBy)
		case core.Muted, core.Unmuted, core.JoinedGroup, core.LeftGroup, core.HidPost, core.UnhidPost:
			e.put(c, now, 0)
		case core.TableCleared: // whatever the table was: what was heard may be gone
			clear(e.byViewer)
			clear(e.rows)
			e.queue = nil
		case core.PostPut, core.PostDeleted, core.PostUnclear, core.TableReread, core.UserGone, core.UserBack,
			core.UserUnclear:
		}
	}
}

// back is what a follow means to whom it is of; zero: nothing.
func (e *Edges) back(kind reserve.PatchKind) reserve.PatchKind {
	if e.mutuals {
		return kind
	}
	return 0
}

// put notes what a row means to its viewer now, and to the other one; zero: nothing.
func (e *Edges) put(c *core.Change, now time.Time, far reserve.PatchKind) {
	e.remove(c.Row)
	if !c.Viewer.Valid() || !c.Other.Valid() {
		return
	}
	e.n++
	r := row{viewers: [2]core.ID{c.Viewer}, n: e.n}
	e.byViewer[c.Viewer] = append(e.byViewer[c.Viewer],
		note{c.Row, reserve.Patch{Kind: reserve.PatchOf(c.Kind), Other: c.Other}, now, c.Until})
	if far != 0 {
		r.viewers[1] = c.Other
		e.byViewer[c.Other] = append(e.byViewer[c.Other],
			note{c.Row, reserve.Patch{Kind: far, Other: c.Viewer}, now, c.Until})
	}
	e.rows[c.Row] = r
	e.queue = append(e.queue, queued{c.Row, e.n})
	for len(e.rows) > e.most || len(e.queue) > 2*e.most {
		oldest := e.queue[0]
		e.queue = e.queue[1:]
		if e.rows[oldest.row].n == oldest.n {
			e.remove(oldest.row)
		}
	}
}

func (e *Edges) remove(name string) {
	for _, viewer := range e.rows[name].viewers {
		notes := e.byViewer[viewer]
		var kept []note
		if len(notes) > 0 && notes[0].row == name { // the oldest, which is forgotten: who is followed by many has many
			kept = notes[1:]
		} else {
			kept = make([]note, 0, len(notes)) // readers may have the old one
			for _, n := range notes {
				if n.row != name {
					kept = append(kept, n)
				}
			}
		}
		if len(kept) == 0 {
			delete(e.byViewer, viewer)
		} else {
			e.byViewer[viewer] = kept
		}
	}
	delete(e.rows, name)
}

// Since appends what was heard of a viewer at or after a time, in that order. Of what has ended by now, that it has.
func (e *Edges) Since(viewer core.ID, since, now time.Time, patches []reserve.Patch) []reserve.Patch {
	e.mu.RLock()
	notes := e.byViewer[viewer]
	e.mu.RUnlock()
	for _, n := range notes {
		if !n.at.Before(since) {
			p := n.patch
			if !n.until.IsZero() && !n.until.After(now) {
				p.Kind = p.Kind.Opposite()
			}
			patches = append(patches, p)
		}
	}
	return patches
}
