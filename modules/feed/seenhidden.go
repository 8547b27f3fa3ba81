package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// seenHidden are the posts that are not shown to a viewer: hidden ones, and those seen lately.
type seenHidden struct {
	seen, hidden idset.Set
	undone       marks.Undone // of hidden ones: looked at before any hide is
}

// read takes the marks over. What was seen after until does not count: a session of pages holds to
// what was seen when it began, so that a page that is fetched twice is the same. others are more logs of hidden
// posts: what one of them says was taken back is so in all of them.
func (m *seenHidden) read(state store.State, cfg store.Config, now, until time.Time, others ...[]byte) {
	m.seen.Reset(len(state.Seen) / marks.Size)
	m.hidden.Reset(len(state.Hidden) / marks.Size)
	clear(m.undone)
	for _, one := range append(others, state.Hidden) {
		m.undone.Learn(one)
	}
	m.collect(state, cfg, now, until)
}

func (m *seenHidden) collect(state store.State, cfg store.Config, now, until time.Time) {
	marks.Collect(&m.seen, state.Seen, now.Add(-cfg.SeenFor), until)
	marks.CollectHidden(&m.hidden, state.Hidden, now.Add(-cfg.HiddenFor), now.Add(time.Hour), m.undone)
}

// found are marks that Redis had lost, from the raw events.
type found struct {
	hidden, seen []store.Mark
	unsure       bool // perhaps there are more: nobody may take what Redis says for all there is
}

// add takes found marks over, by the rules of read.
func (m *seenHidden) add(f *found, cfg store.Config, now, until time.Time) {
	m.undone.Learn(appendMarks(nil, f.hidden))
	for _, mark := range f.hidden {
		if m.undone.Stands(mark.Post, mark.At) {
			m.hidden.Add(mark.Post)
		}
	}
	for _, mark := range f.seen {
		if mark.At.After(now.Add(-cfg.SeenFor)) && mark.At.Before(until) {
			m.seen.Add(mark.Post)
		}
	}
}

// lost tells whether the viewer did more than Redis remembers: it was emptied, or away.
func (f *Feed) lost(v *computation, interactions *graph.Interactions) bool {
	hidden := f.countedHides(interactions)
	return hidden > 0 && marks.Standing(v.state.Hidden, hidesSince(v.now))+marks.Lacking(v.state.Hidden,
		v.now) < hidden ||
		!marks.Any(v.state.Seen) && int64(marks.Lacking(v.state.Seen, v.now)) < interactions.ViewedLately
}

// countedHides is how many marks of hides Redis should have. It keeps no more.
func (f *Feed) countedHides(interactions *graph.Interactions) int {
	return int(min(interactions.HiddenLately, int64(f.cfg.Store.MaxHidden)))
}

// hidesSince is when the first hide may have been received that is counted: a client's clock may have been
// ahead by a little.
func hidesSince(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-graph.HideDays).Add(-time.Hour)
}

// find looks up in the raw events what Redis has lost of a viewer's marks.
func (f *Feed) find(ctx context.Context, v *computation, interactions *graph.Interactions) SourceReport {
	var err error
	v.found.hidden, v.found.seen, err = f.graph.Marks(ctx, v.id, interactions.Where, v.now.Add(-f.cfg.Store.SeenFor))
	v.seenHidden.add(&v.found, f.cfg.Store, v.now, v.now.Add(time.Hour))
	report := SourceReport{Name: "marks", Posts: len(v.found.hidden) + len(v.found.seen), Err: err}
	if err != nil {
		v.found.unsure = true
		f.metrics.sourceFailures.WithLabelValues("marks").Inc()
		return report
	}
	f.noteLacking(v, interactions)
	return report
}

// noteLacking notes for how many hides and views that are counted there is no mark, so that nobody looks
// for them again on this day: two hides of one post within a second, views of yesterday that do not
// count any more.
func (f *Feed) noteLacking(v *computation, interactions *graph.Interactions) {
	note := func(n int) store.Mark { return store.Mark{User: v.id, Post: marks.None(n), At: v.now} }
	found := marks.Standing(appendMarks(nil, v.found.hidden), hidesSince(v.now))
	if n := f.countedHides(interactions) - found; n > 0 {
		v.found.hidden = append(v.found.hidden, note(n))
	}
	if n := interactions.ViewedLately; n > 0 && len(v.found.seen) == 0 && !marks.Any(v.state.Seen) {
		v.found.seen = append(v.found.seen, note(int(n)))
	}
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
		if f.guards.Redis.Do(ctx,
			func(ctx context.Context) error { return f.store.GiveBack(ctx, user, hidden) }) != nil {
			f.metrics.redisFailures.WithLabelValues("restore").Inc() // the next request tries again
		}
		return nil
	})
}

// remember gives Redis back what it had lost.
func (f *Feed) remember(ctx context.Context, lost found) {
	if len(lost.hidden) > 0 && f.store.MarkHidden(ctx, lost.hidden) != nil || len(lost.seen) > 0 &&
		f.store.MarkSeen(ctx, lost.seen) != nil {
		f.metrics.redisFailures.WithLabelValues("restore").Inc() // the next computation finds them again
	}
}
