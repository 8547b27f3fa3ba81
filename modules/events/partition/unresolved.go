package partition

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"

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

// countResolved looks whether there is a record of some of these posts by now, and counts their events.
func (p *Worker) countResolved(ctx context.Context) error {
	if p.Posts == nil || len(p.unresolved.posts) == 0 {
		return nil
	}
	some := slices.Clone(p.unresolved.due[:min(unresolvedAtOnce, len(p.unresolved.due))])
	found := make(map[core.ID]posts.Known, len(some))
	if err := p.Posts.Look(ctx, some, found); err != nil {
		p.log.Warn("look for posts that events were ahead of", zap.Error(err))
		return nil
	}
	if len(found) > 0 {
		s := ledger.Beyond(math.MaxInt64)
		for id := range found {
			s.Posts, s.After = append(s.Posts, id), min(s.After, p.unresolved.posts[id].offset-1)
		}
		changed, err := p.Ledger.Reconcile(ctx, p.fence, s)
		if err != nil {
			// they are looked at again
			return p.recover(ctx, fmt.Errorf("count events that were ahead of their posts: %w", err))
		}
		p.metrics.reconciled.Add(float64(changed))
		p.metrics.resolved.Add(float64(len(found)))
	}
	p.unresolved.looked(some, found, p.Clock.Now().Add(-unresolvedFor).UnixMilli(), p.metrics)
	return nil
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
