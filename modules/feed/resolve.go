package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/candidates"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
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
	if r.entry.Whole(r.Now) && r.Now.Before(r.entry.FreshUntil.Add(f.cfg.Cache.StaleFor)) && f.makesPages(&r.entry) {
		f.use(r, &r.entry.Reserve, page.FromCache)
		f.metrics.Cache.WithLabelValues("hit").Inc()
		switch {
		case !r.entry.Fresh(r.Now):
			r.ServedFrom = page.FromStale
			f.metrics.Cache.WithLabelValues("stale").Inc()
			f.builder.Refresh(ctx, r.whose(), true)
		case f.dueForRefresh(r):
			f.metrics.Cache.WithLabelValues("due_for_refresh").Inc()
			f.builder.Refresh(ctx, r.whose(), false)
		}
		f.useOnDemand(ctx, r)
		return nil
	}
	f.metrics.Cache.WithLabelValues("miss").Inc()
	full := f.guards.Limiter.Compute()
	if full == nil {
		defer f.guards.Limiter.Computed()
	}
	built, err := f.builtInTime(ctx, r, full)
	if err == nil {
		f.useBuilt(ctx, r, built)
		return nil
	}
	r.Sources = append(r.Sources, stages.Report{Name: "clickhouse", Err: err})
	r.Degraded = true
	if (r.entry.HasBody || f.localFallback(r)) && f.makesPages(&r.entry) {
		r.entry.Reserve.Apply(r.entry.Patches, r.Ranking.Affinity.Hide)
		f.mergeNewFollows(r, &r.entry.Reserve, r.entry.Patches)
		f.use(r, &r.entry.Reserve, page.FromStale)
		return nil
	}
	if full != nil {
		return full
	}
	built, err = f.builder.FromPostgres(ctx, r.User, r.state, r.Ranking)
	if err == nil {
		f.use(r, built.Reserve, page.FromPostgres)
		r.Sources, r.Computing = append(r.Sources, built.Reports...), built.Stages
		return nil
	}
	if under := f.builder.Running(r.whose()); under != nil { // nothing else is left: it has the rest
		if built, late := under.Wait(ctx); late == nil {
			f.useBuilt(ctx, r, built)
			return nil
		}
	}
	if core.CodeOf(err) == core.CodeOverloaded { // PostgreSQL answers, and has enough to do
		return err
	}
	f.use(r, &reserve.Reserve{BuiltAt: r.Now}, page.FromTrending)
	if f.hot.Useful() { // so it was PostgreSQL that failed
		r.Sources = append(r.Sources, stages.Report{Name: "postgres", Err: err})
		return nil
	}
	r.ByTime, r.ServedFrom = true, page.FromPostgres
	return nil
}

// makesPages tells whether an entry is an answer. One without a post, from before there were any, is filled up from the
// hot set; where there is none, it would be an empty page while PostgreSQL has posts.
func (f *Feed) makesPages(e *reserve.Entry) bool {
	return len(e.Reserve.Candidates) > 0 || f.hot.Useful()
}

// whose says for whom a reserve is built.
func (r *request) whose() candidates.Viewer {
	return candidates.Viewer{ID: r.User, State: r.state, Tag: r.entry.Tag}
}

// builtInTime leaves enough of the request's time for what comes after. A computation that is late
// goes on, and its result is cached for the next request.
func (f *Feed) builtInTime(ctx context.Context, r *request, full error) (*candidates.Built, error) {
	if full != nil {
		return nil, full
	}
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ComputeWait)
	defer cancel()
	return f.builder.Once(ctx, r.whose()).Wait(ctx)
}

// dueForRefresh tells whether an entry that is fresh yet should be computed anew. Posts, their engagement and the
// viewer's graph are those of the moment in every page; what only a computation brings is the affinity
// that the viewer's own actions have made since, and what was beyond the reserve's end.
func (f *Feed) dueForRefresh(r *request) bool {
	return r.Now.Sub(r.entry.Reserve.BuiltAt) >= f.cfg.Cache.RefreshOld ||
		r.entry.Reserve.Ranking != f.ranking.Get().Version
}

// mergeNewFollows adds the posts of authors whom the viewer has followed, or ceased to block or mute, and those in
// groups that they joined, since a reserve was computed.
func (f *Feed) mergeNewFollows(r *request, res *reserve.Reserve, patches []reserve.Patch) {
	edge := r.Now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := f.hot.View()
	defer set.Close()
	for _, p := range patches {
		switch p.Kind {
		case reserve.PatchJoined:
			f.offerGroup(r, res, set, p.Other)
		case reserve.PatchHide, reserve.PatchUnhide: // the other is a post
			continue
		default:
		}
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
			res.Offer(reserve.Candidate{Post: p.ID, Author: int32(at), Source: reserve.Followee, Created: p.Created})
			return true
		})
	}
}

// offerGroup adds the latest posts in a group.
func (f *Feed) offerGroup(r *request, res *reserve.Reserve, set hot.View, group core.ID) {
	edge, taken := r.Now.Add(-f.cfg.Hot.Window).UnixMicro(), 0
	set.ByGroup(group, func(p *hot.Post) bool {
		if p.Created < edge || taken == f.cfg.Sources.Groups.PerAuthor {
			return false
		}
		author := res.Author(p.Author)
		source := f.sourceOf(res, author, group)
		if source == 0 || r.viewer.RejectAuthor(author) != nil {
			return true
		}
		taken++
		res.Offer(reserve.Candidate{
			Post: p.ID, Author: int32(res.Intern(p.Author)), Source: source, Created: p.Created,
		})
		return true
	})
}

// useBuilt takes over what may be shared with other requests: it copies.
func (f *Feed) useBuilt(ctx context.Context, r *request, built *candidates.Built) {
	f.use(r, built.Reserve, page.FromClickHouse)
	r.seenHidden.Add(&built.Found, f.cfg.Store, r.Now, r.seenUntil)
	r.Sources, r.Computing = append(r.Sources, built.Reports...), built.Stages
	r.Degraded = r.Degraded || built.Partial()
	if built.Hot != nil {
		r.hot = built.Hot
	}
	if built.Cached {
		r.ServedFrom = page.FromCache
		f.readSeenHidden(r, built.State)
		r.hideByApp()
		f.useOnDemand(ctx, r)
	}
}

// use takes a reserve, and adds what this replica has heard of the viewer that the reserve does not
// know: what it was computed from may lag behind.
func (f *Feed) use(r *request, res *reserve.Reserve, from page.ServedFrom) {
	since := res.BuiltAt.Add(-f.cfg.Hot.TrustChanges)
	if from == page.FromTrending { // nothing is known of the viewer but this
		since = time.Time{}
	}
	r.news = f.recentEdges.Since(r.User, since, r.Now, r.news[:0])
	r.news = res.Ended(r.Now, r.news, r.news)
	if r.news = res.Unknown(r.news); len(r.news) > 0 {
		if res != &r.entry.Reserve { // others use it, too
			res = res.Clone()
		}
		res.Apply(r.news, r.Ranking.Affinity.Hide)
		f.mergeNewFollows(r, res, r.news)
	}
	r.reserve, r.ServedFrom = res, from
	r.hideByApp()
}

// hideByApp has the filters leave out what the viewer hid by the app's own table. A reserve has these posts among its
// candidates, so that they are back at once.
func (r *request) hideByApp() {
	for _, post := range r.reserve.Hidden {
		r.seenHidden.Hidden.Add(post)
	}
}

// useOnDemand finds another set for a request whose reserve is cached, where the replica's own is unavailable.
// Without one, the request does with what there is: see inReserveOrder.
func (f *Feed) useOnDemand(ctx context.Context, r *request) {
	reason := f.onDemand.Unavailable()
	if reason == nil || r.ByTime {
		return
	}
	r.Sources, r.Degraded = append(r.Sources, stages.Report{Name: "hot set", Err: reason}), true
	var posts []core.ID
	for i := range r.reserve.Candidates {
		posts = append(posts, r.reserve.Candidates[i].Post)
	}
	for _, place := range r.places {
		posts = append(posts, place.Post)
	}
	if set, err := f.onDemand.Set(ctx, &r.viewer, r.reserve.Authors, posts); err == nil {
		r.hot = set
	}
}
