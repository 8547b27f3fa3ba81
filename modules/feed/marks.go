package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// viewerMarks are the posts that are not shown to a viewer: hidden ones, and those seen lately.
type viewerMarks struct{ seen, hidden idset.Set }

// read takes the marks over. What was seen after until does not count: a session of pages holds to
// what was seen when it began, so that a page that is fetched twice is the same.
func (m *viewerMarks) read(state store.State, cfg store.Config, now, until time.Time) {
	m.seen.Reset(len(state.Seen) / marks.Size)
	m.hidden.Reset(len(state.Hidden) / marks.Size)
	m.collect(state, cfg, now, until)
}

func (m *viewerMarks) collect(state store.State, cfg store.Config, now, until time.Time) {
	marks.Collect(&m.seen, state.Seen, now.Add(-cfg.SeenFor), until)
	marks.Collect(&m.hidden, state.Hidden, now.Add(-cfg.HiddenFor), now.Add(time.Hour))
}

func (m *viewerMarks) has(post core.ID) bool { return m.hidden.Has(post) || m.seen.Has(post) }

// found are marks that Redis had lost, from the raw events.
type found struct {
	hidden, seen []store.Mark
	unsure       bool // perhaps there are more: nobody may take what Redis says for all there is
}

// add takes found marks over, by the rules of read.
func (m *viewerMarks) add(f *found, cfg store.Config, now, until time.Time) {
	for _, mark := range f.hidden {
		m.hidden.Add(mark.Post)
	}
	for _, mark := range f.seen {
		if mark.At.After(now.Add(-cfg.SeenFor)) && mark.At.Before(until) {
			m.seen.Add(mark.Post)
		}
	}
}

// lost tells whether the viewer did more than Redis remembers: it was emptied, or away.
func (f *Feed) lost(state store.State, acts *graph.Acts) bool {
	hidden := min(int(acts.HiddenLately), f.cfg.Store.MaxHidden)
	return hidden > 0 && marks.Distinct(state.Hidden) < hidden || len(state.Seen) == 0 && acts.ViewedLately > 0
}

// find looks up in the raw events what Redis has lost of a viewer's marks.
func (f *Feed) find(ctx context.Context, v *viewer) SourceReport {
	var err error
	v.found.hidden, v.found.seen, err = f.graph.Marks(ctx, v.id, v.now.Add(-f.cfg.Store.SeenFor))
	v.marks.add(&v.found, f.cfg.Store, v.now, v.now.Add(time.Hour))
	if err != nil {
		v.found.unsure = true
		f.metrics.sourceFailures.WithLabelValues("marks").Inc()
	}
	return SourceReport{Name: "marks", Posts: len(v.found.hidden) + len(v.found.seen), Err: err}
}

// giveBack writes to Redis what this replica remembers that the viewer hid, and Redis has lost: other
// replicas shall know. Not what they saw: how much of that is missing cannot be counted, as lost does.
func (f *Feed) giveBack(r *request, hidden []byte) {
	if len(hidden) == 0 {
		return
	}
	user := r.User
	r.state.Hidden = hidden
	f.workers.Go("give marks back", func(ctx context.Context) error {
		if f.guards.Redis.Do(ctx, func(ctx context.Context) error { return f.store.GiveBack(ctx, user, hidden) }) != nil {
			f.metrics.cache.WithLabelValues("remember_failed").Inc() // the next request tries again
		}
		return nil
	})
}

// remember gives Redis back what it had lost.
func (f *Feed) remember(ctx context.Context, lost found) {
	if len(lost.hidden) > 0 && f.store.MarkHidden(ctx, lost.hidden) != nil || len(lost.seen) > 0 && f.store.MarkSeen(ctx, lost.seen) != nil {
		f.metrics.cache.WithLabelValues("remember_failed").Inc() // the next computation finds them again
	}
}
