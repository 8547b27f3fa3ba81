package viewer

import (
	"time"

	"github.com/feedrank/feedrank/modules/feed/idset"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// SeenHidden are the posts that are not shown to a viewer: hidden ones, and those seen lately. Its memory is used
// again.
type SeenHidden struct {
	Seen, Hidden idset.Set
	undone       marks.Undone // of hidden ones: looked at before any hide is
}

// Read takes the marks over. What was seen after until does not count: a session of pages holds to
// what was seen when it began, so that a page that is fetched twice is the same. others are more logs of hidden
// posts: what one of them says was taken back is so in all of them.
func (m *SeenHidden) Read(state store.State, cfg store.Config, now, until time.Time, others ...[]byte) {
	m.Seen.Reset(len(state.Seen) / marks.Size)
	m.Hidden.Reset(len(state.Hidden) / marks.Size)
	clear(m.undone)
	for _, one := range append(others, state.Hidden) {
		m.undone.Learn(one)
	}
	m.collect(state, cfg, now, until)
}

func (m *SeenHidden) collect(state store.State, cfg store.Config, now, until time.Time) {
	marks.Collect(&m.Seen, state.Seen, now.Add(-cfg.SeenFor), until)
	marks.CollectHidden(&m.Hidden, state.Hidden, now.Add(-cfg.HiddenFor), now.Add(time.Hour), m.undone)
}

// Found are marks that Redis had lost, from the raw events.
type Found struct {
	Hidden, Seen []store.Mark
	Unsure       bool // perhaps there are more: nobody may take what Redis says for all there is
}

// HidesSince is how many of the found hides stand that are not older than since.
func (f *Found) HidesSince(since time.Time) int {
	return marks.Standing(appendMarks(nil, f.Hidden), since)
}

// Add takes found marks over, by the rules of Read.
func (m *SeenHidden) Add(f *Found, cfg store.Config, now, until time.Time) {
	hidden := appendMarks(nil, f.Hidden)
	m.undone.Learn(hidden)
	marks.CollectHidden(&m.Hidden, hidden, time.Time{}, now.Add(time.Hour), m.undone)
	for _, mark := range f.Seen {
		if mark.At.After(now.Add(-cfg.SeenFor)) && mark.At.Before(until) {
			m.Seen.Add(mark.Post)
		}
	}
}
