package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/page"
)

// sampleOverlap measures now and then, while all is well, how good the answer would be if ClickHouse and
// the viewer's entry were gone: how much of a ranked first page the one with the graph from PostgreSQL
// has, too. (Who has an entry gets the page of that.) It runs after the answer, and not under load.
func (f *Feed) sampleOverlap(r *request) {
	if r.Degraded || r.ByTime || r.Later || (r.ServedFrom != page.FromCache && r.ServedFrom != page.FromClickHouse) ||
		len(r.Items) == 0 {
		return
	}
	now, last := r.Now, f.sampledAt.Load()
	if f.cfg.SampleOverlap == 0 || now.Sub(time.Unix(0, last)) < f.cfg.SampleOverlap || f.guards.Limiter.Overloaded() ||
		!f.sampledAt.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	ranked := r.posts()
	user, state, ranking := r.User, r.state, r.Ranking
	f.workers.Go("sample the fallback", func(ctx context.Context) error {
		built, err := f.builder.FromPostgres(ctx, user, state, ranking)
		if err != nil {
			return nil // PostgreSQL's breaker and metrics tell
		}
		other := f.take(Query{User: user, Order: cursor.Ranked, Limit: len(ranked)})
		defer f.give(other)
		other.state = state
		f.readSeenHidden(other, state)
		f.use(other, built.Reserve, page.FromPostgres)
		if f.rank(ctx, other) != nil {
			return nil
		}
		f.metrics.Overlap.Observe(overlap(ranked, other.list.IDs()[:min(len(ranked), len(other.list.Order))]))
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
