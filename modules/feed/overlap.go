package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
)

// sampleOverlap measures now and then, while all is well, how good the answer would be if ClickHouse and
// the viewer's entry were gone: how much of a ranked first page the one with the graph from PostgreSQL
// has, too. (Who has an entry gets the page of that.) It runs after the answer, and not under load.
func (f *Feed) sampleOverlap(r *request) {
	if r.degraded || r.timeline || r.Cursor != "" || (r.servedFrom != FromCache && r.servedFrom != FromClickHouse) ||
		len(r.page) == 0 {
		return
	}
	now, last := time.Now(), f.sampledAt.Load()
	if f.cfg.SampleOverlap == 0 || now.Sub(time.Unix(0, last)) < f.cfg.SampleOverlap || f.guards.Limiter.Overloaded() ||
		!f.sampledAt.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	ranked := make([]core.ID, len(r.page))
	for i, at := range r.page {
		ranked[i] = r.work.posts[at].post
	}
	user, state, ranking := r.User, r.state, r.ranking
	f.workers.Go("sample the fallback", func(ctx context.Context) error {
		result, err := f.compute(ctx, user, state, ranking, f.fromPostgres(nil))
		if err != nil {
			return nil // PostgreSQL's breaker and metrics tell
		}
		other := f.take(Query{User: user, Algo: cursor.Ranked, Limit: len(ranked)})
		defer f.give(other)
		other.state = state
		f.readSeenHidden(other, state)
		f.use(other, result.reserve, FromPostgres)
		if f.rank(ctx, other) != nil {
			return nil
		}
		f.metrics.overlap.Observe(overlap(ranked, other.work.ids()[:min(len(ranked), len(other.work.order))]))
		return nil
	})
}

// overlap is the part of a page that another one has, too.
func overlap(page, other []core.ID) float64 {
	has := make(map[core.ID]bool, len(other))
	for _, id := range other {
		has[id] = true
	}
	both := 0
	for _, id := range page {
		if has[id] {
			both++
		}
	}
	return float64(both) / float64(len(page))
}
