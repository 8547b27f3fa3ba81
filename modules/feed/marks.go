package feed

import (
	"time"

	"github.com/feedrank/feedrank/modules/core"
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
	marks.Collect(&m.seen, state.Seen, now.Add(-cfg.SeenFor), until)
	marks.Collect(&m.hidden, state.Hidden, now.Add(-cfg.HiddenFor), now.Add(time.Hour))
}

func (m *viewerMarks) has(post core.ID) bool { return m.hidden.Has(post) || m.seen.Has(post) }
