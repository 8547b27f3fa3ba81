package candidates

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/stages"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/feed/viewer"
)

// lost tells whether the viewer did more than Redis remembers: it was emptied, or away.
func (b *Builder) lost(c *computation, interactions *graph.Interactions) bool {
	hidden := b.countedHides(interactions)
	return hidden > 0 && marks.Standing(c.state.Hidden, hidesSince(c.now))+marks.Lacking(c.state.Hidden,
		c.now) < hidden ||
		!marks.Any(c.state.Seen) && int64(marks.Lacking(c.state.Seen, c.now)) < interactions.ViewedLately
}

// countedHides is how many marks of hides Redis should have. It keeps no more.
func (b *Builder) countedHides(interactions *graph.Interactions) int {
	return int(min(interactions.HiddenLately, int64(b.cfg.Store.MaxHidden)))
}

// hidesSince is when the first hide may have been received that is counted: a client's clock may have been
// ahead by a little.
func hidesSince(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-graph.HideDays).Add(-time.Hour)
}

// find looks up in the raw events what Redis has lost of a viewer's marks.
func (b *Builder) find(ctx context.Context, c *computation, interactions *graph.Interactions) stages.Report {
	var err error
	c.found.Hidden, c.found.Seen, err = b.graph.Marks(ctx, c.id, interactions.Where, c.now.Add(-b.cfg.Store.SeenFor))
	c.seenHidden.Add(&c.found, b.cfg.Store, c.now, c.now.Add(time.Hour))
	report := stages.Report{Name: "marks", Posts: len(c.found.Hidden) + len(c.found.Seen), Err: err}
	if err != nil {
		c.found.Unsure = true
		b.metrics.SourceFailures.WithLabelValues("marks").Inc()
		return report
	}
	b.noteLacking(c, interactions)
	return report
}

// noteLacking notes for how many hides and views that are counted there is no mark, so that nobody looks
// for them again on this day: two hides of one post within a second, views of yesterday that do not
// count any more.
func (b *Builder) noteLacking(c *computation, interactions *graph.Interactions) {
	note := func(n int) store.Mark { return store.Mark{User: c.id, Post: marks.None, At: marks.Lack(n, c.now)} }
	if n := b.countedHides(interactions) - c.found.HidesSince(hidesSince(c.now)); n > 0 {
		c.found.Hidden = append(c.found.Hidden, note(n))
	}
	if n := interactions.ViewedLately; n > 0 && len(c.found.Seen) == 0 && !marks.Any(c.state.Seen) {
		c.found.Seen = append(c.found.Seen, note(int(n)))
	}
}

// remember gives Redis back what it had lost.
func (b *Builder) remember(ctx context.Context, lost *viewer.Found) {
	if len(lost.Hidden) > 0 && b.store.MarkHidden(ctx, lost.Hidden) != nil || len(lost.Seen) > 0 &&
		b.store.MarkSeen(ctx, lost.Seen) != nil {
		b.metrics.RedisFailures.WithLabelValues("restore").Inc() // the next computation finds them again
	}
}
