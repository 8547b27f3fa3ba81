package feed

import (
	"context"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// resolve finds the viewer's reserve in the order of answers:
//
//  1. a fresh entry of the cache, refreshed afterwards if it is due; an expired one while it is refreshed
//  2. computed, with the graph and the affinity from ClickHouse
//  3. whatever entry the cache has, or this replica remembers, with the viewer's own changes since
//  4. computed, with the graph from PostgreSQL
//  5. what is being computed, in the rest of the budget
//  6. the timeline from PostgreSQL, while there is no hot set
//  7. trending posts from memory, for a viewer of whom nothing is known
//
// While Redis is away, what this replica remembers is the cache. From 3 on the answer is degraded. The
// filters hold on every path, as far as the graph is known. Where there is no room to compute, who has no
// entry is refused: without the graph they would see whom they have blocked. In an outage that nobody can
// end by coming back later, they are not.
func (f *Feed) resolve(ctx context.Context, r *request) error {
	cached := r.entry.HasBody && len(r.entry.Patches) == 0
	if cached && r.now.Before(r.entry.FreshUntil.Add(f.cfg.Cache.StaleFor)) {
		f.use(r, &r.entry.Reserve, FromCache)
		f.metrics.cache.WithLabelValues("hit").Inc()
		switch {
		case !r.entry.Fresh(r.now):
			r.servedFrom = FromStale
			f.metrics.cache.WithLabelValues("stale").Inc()
			f.refresh(r, 0)
		case f.dueForRefresh(r):
			f.metrics.cache.WithLabelValues("due_for_refresh").Inc()
			f.refresh(r, f.dutyCycle.Left())
		}
		f.useOnDemand(ctx, r)
		return nil
	}
	f.metrics.cache.WithLabelValues("miss").Inc()
	full := f.guards.Limiter.Compute()
	if full == nil {
		defer f.guards.Limiter.Computed()
	}
	result, err := f.computedInTime(ctx, r, full)
	if err == nil {
		f.useComputed(ctx, r, result)
		return nil
	}
	r.reports = append(r.reports, SourceReport{Name: "clickhouse", Err: err})
	r.degraded = true
	if r.entry.HasBody || f.localFallback(r) {
		r.entry.Reserve.Apply(r.entry.Patches, r.ranking.Affinity.Hide)
		f.mergeNewFollows(r, &r.entry.Reserve, r.entry.Patches)
		f.use(r, &r.entry.Reserve, FromStale)
		return nil
	}
	if full != nil {
		return full
	}
	result, err = f.compute(ctx, r.User, r.state, r.ranking, f.fromPostgres(nil))
	if err == nil {
		f.use(r, result.reserve, FromPostgres)
		r.reports, r.computing = append(r.reports, result.reports...), result.stages
		return nil
	}
	if under := f.singleflight.find(f.flightKey(r)); under != nil { // nothing else is left: it has the rest
		if result, late := under.wait(ctx); late == nil {
			f.useComputed(ctx, r, result)
			return nil
		}
	}
	if core.CodeOf(err) == core.CodeOverloaded { // PostgreSQL answers, and has enough to do
		return err
	}
	f.use(r, &reserve.Reserve{BuiltAt: r.now}, FromTrending)
	if f.hot.Useful() { // so it was PostgreSQL that failed
		r.reports = append(r.reports, SourceReport{Name: "postgres", Err: err})
		return nil
	}
	r.timeline, r.servedFrom = true, FromPostgres
	return nil
}

// mergeNewFollows adds the posts of authors whom the viewer has followed, or ceased to block or mute, since a
// reserve was computed.
func (f *Feed) mergeNewFollows(r *request, res *reserve.Reserve, patches []reserve.Patch) {
	edge := r.now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := f.hot.View()
	defer set.Close()
	for _, p := range patches {
		at, known := res.Find(p.Other)
		if !known || res.Authors[at].Relation&reserve.Follows == 0 || r.viewer.RejectAuthor(res.Authors[at]) != nil {
			continue
		}
		taken := 0
		set.ByAuthor(p.Other, func(p *hot.Post) bool {
			if p.Created < edge || taken == f.cfg.Sources.Followees.PerAuthor {
				return false
			}
			taken++
			res.Offer(reserve.Candidate{Post: p.ID, Author: int32(at), Source: reserve.Followee, Created: p.Created}) //nolint:gosec // an index
			return true
		})
	}
}

// useComputed takes over what may be shared with other requests: it copies.
func (f *Feed) useComputed(ctx context.Context, r *request, c *computed) {
	f.use(r, c.reserve, FromClickHouse)
	r.seenHidden.add(&c.found, f.cfg.Store, r.now, r.seenUntil())
	r.reports, r.computing = append(r.reports, c.reports...), c.stages
	r.degraded = r.degraded || c.partial()
	if c.hot != nil {
		r.hot = c.hot
	}
	if c.cached {
		r.servedFrom = FromCache
		f.readSeenHidden(r, c.state)
		f.useOnDemand(ctx, r)
	}
}

// use takes a reserve, and adds what this replica has heard of the viewer that the reserve does not
// know: what it was computed from may lag behind.
func (f *Feed) use(r *request, res *reserve.Reserve, from ServedFrom) {
	since := res.BuiltAt.Add(-f.cfg.Hot.TrustChanges)
	if from == FromTrending { // nothing is known of the viewer but this
		since = time.Time{}
	}
	r.news = f.recentEdges.Since(r.User, since, r.news[:0])
	if r.news = slices.DeleteFunc(r.news, res.Knows); len(r.news) > 0 {
		if res != &r.entry.Reserve { // others use it, too
			res = res.Clone()
		}
		res.Apply(r.news, r.ranking.Affinity.Hide)
		f.mergeNewFollows(r, res, r.news)
	}
	r.reserve, r.servedFrom = res, from
}

// computedInTime leaves enough of the request's time for what comes after. A computation that is late
// goes on, and its result is cached for the next request.
func (f *Feed) computedInTime(ctx context.Context, r *request, full error) (*computed, error) {
	if full != nil {
		return nil, full
	}
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ComputeWait)
	defer cancel()
	return f.computeOnce(r, false).wait(ctx)
}
