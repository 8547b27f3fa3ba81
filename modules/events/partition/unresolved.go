package partition

import (
	"context"
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/posts"
)

// unresolvedPosts are the posts that events of a partition were ahead of. Their rows are in the raw table and count
// nothing, until the owner finds a record of the post: then it reconciles the buckets that these rows touch.
// It is a list of what is to be looked at, and no more: what falls out of it, and what a dead owner knew, is
// found by the next recount of those days.
type unresolvedPosts struct {
	posts map[core.ID]*unresolvedPost
	due   []core.ID // in the order in which they are looked at
}

type unresolvedPost struct {
	offset int64 // of the first event
	since  int64 // milliseconds since 1970
}

const (
	maxUnresolved    = 50_000 // posts of a partition
	unresolvedAtOnce = 1000   // looked at in one go
	unresolvedFor    = time.Hour
)

func newUnresolvedPosts() *unresolvedPosts {
	return &unresolvedPosts{posts: map[core.ID]*unresolvedPost{}}
}

// add notes an event. It tells whether there was room.
func (e *unresolvedPosts) add(post core.ID, offset, now int64) bool {
	if known := e.posts[post]; known != nil {
		known.offset = min(known.offset, offset)
		return true
	}
	if len(e.posts) >= maxUnresolved {
		return false
	}
	e.posts[post] = &unresolvedPost{offset: offset, since: now}
	e.due = append(e.due, post)
	return true
}

// noteUnresolved notes what the batch had of posts without a record.
func (p *Worker) noteUnresolved() {
	now := p.Clock.Now().UnixMilli()
	for i := range p.batch.rows {
		r := &p.batch.rows[i]
		if r.Verdict == counting.Unresolved && !p.unresolved.add(r.Post, r.Offset, now) {
			p.metrics.earlyDropped.Inc()
		}
	}
	p.metrics.early.Set(float64(len(p.unresolved.posts)))
}

// looked forgets what was found, and what was waited for too long; the rest is looked at again after the others.
func (e *unresolvedPosts) looked(some []core.ID, found map[core.ID]posts.Known, before int64, m *partitionMetrics) {
	e.due = append([]core.ID(nil), e.due[len(some):]...)
	for _, id := range some {
		_, resolved := found[id]
		switch {
		case resolved:
			delete(e.posts, id)
		case e.posts[id].since < before:
			delete(e.posts, id)
			m.earlyDropped.Inc()
		default:
			e.due = append(e.due, id)
		}
	}
	m.early.Set(float64(len(e.posts)))
}

// loadUnresolved reads which posts the partition's events were ahead of, those that have a record by now too.
func (p *Worker) loadUnresolved(ctx context.Context) error {
	if p.Posts == nil {
		return nil
	}
	now := p.Clock.Now()
	fresh := newUnresolvedPosts()
	since := ledger.DayOf(now.Add(-p.reader.MaxAge()).UnixMilli())
	err := p.Ledger.Unresolved(ctx, since, maxUnresolved, func(post core.ID, first int64) {
		fresh.add(post, first, now.UnixMilli())
	})
	if err != nil {
		return fmt.Errorf("read which events are ahead of their posts: %w", err)
	}
	p.unresolved = fresh
	p.metrics.early.Set(float64(len(fresh.posts)))
	return nil
}
