package feed

import (
	"context"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// provide finds the viewer's reserve in the order of answers:
//
//  1. a fresh entry of the cache, computed anew afterwards if it is worn; an expired one while it is refreshed
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
func (f *Feed) provide(ctx context.Context, r *request) error {
	cached := r.entry.HasBody && len(r.entry.Patches) == 0
	if cached && r.now.Before(r.entry.FreshUntil.Add(f.cfg.Cache.StaleFor)) {
		f.use(r, &r.entry.Reserve, FromCache)
		f.metrics.cache.WithLabelValues("hit").Inc()
		switch {
		case !r.entry.Fresh(r.now):
			r.servedFrom = FromStale
			f.metrics.cache.WithLabelValues("stale").Inc()
			f.refresh(r, 0)
		case f.worn(r):
			f.metrics.cache.WithLabelValues("worn").Inc()
			f.refresh(r, f.ahead.Left())
		}
		f.replaceHot(ctx, r)
		return nil
	}
	f.metrics.cache.WithLabelValues("miss").Inc()
	full := f.guards.Room.Compute()
	if full == nil {
		defer f.guards.Room.Computed()
	}
	result, err := f.computedInTime(ctx, r, full)
	if err == nil {
		f.useComputed(ctx, r, result)
		return nil
	}
	r.reports = append(r.reports, SourceReport{Name: "clickhouse", Err: err})
	r.degraded = true
	if r.entry.HasBody || f.recollect(r) {
		r.entry.Reserve.Apply(r.entry.Patches, r.ranking.Affinity.Hide)
		f.adopt(r, &r.entry.Reserve, r.entry.Patches)
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
	if under := f.flights.find(f.flightKey(r)); under != nil { // there is nothing else: the rest of the budget is for it
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

// adopt adds the posts of authors whom the viewer has followed, or ceased to block or mute, since a reserve was
// computed.
func (f *Feed) adopt(r *request, res *reserve.Reserve, patches []reserve.Patch) {
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
	r.marks.add(&c.found, f.cfg.Store, r.now, r.seenUntil())
	r.reports, r.computing = append(r.reports, c.reports...), c.stages
	r.degraded = r.degraded || c.partial()
	if c.hot != nil {
		r.hot = c.hot
	}
	if c.cached {
		r.servedFrom = FromCache
		f.readMarks(r, c.state)
		f.replaceHot(ctx, r)
	}
}

// use takes a reserve, and adds what this replica has heard of the viewer that the reserve does not
// know: what it was computed from may lag behind.
func (f *Feed) use(r *request, res *reserve.Reserve, from ServedFrom) {
	since := res.BuiltAt.Add(-f.cfg.Hot.TrustChanges)
	if from == FromTrending { // nothing is known of the viewer but this
		since = time.Time{}
	}
	r.news = f.heard.Since(r.User, since, r.news[:0])
	if r.news = slices.DeleteFunc(r.news, res.Knows); len(r.news) > 0 {
		if res != &r.entry.Reserve { // others use it, too
			res = res.Clone()
		}
		res.Apply(r.news, r.ranking.Affinity.Hide)
		f.adopt(r, res, r.news)
	}
	r.reserve, r.servedFrom = res, from
}

// worn tells whether an entry that is fresh yet should be computed anew. Posts, their engagement and the
// viewer's graph are those of the moment in every page; what only a computation brings is the affinity
// that the viewer's own actions have made since, and what was beyond the reserve's end.
func (f *Feed) worn(r *request) bool {
	return r.now.Sub(r.entry.Reserve.BuiltAt) >= f.cfg.Cache.RefreshOld || r.entry.Reserve.Ranking != f.ranking.Get().Version
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

// computeOnce computes the viewer's reserve, or joins who is doing so, and caches it. ahead says that
// nobody waits for it.
func (f *Feed) computeOnce(r *request, ahead bool) *flight {
	user, state, ranking, tag := r.User, r.state, f.ranking.Get(), r.entry.Tag
	key := f.flightKey(r)
	key.ahead = ahead
	return f.flights.join(key,
		func(ctx context.Context) (*computed, error) {
			if ahead {
				defer func(began time.Time) { f.ahead.Begin(time.Since(began)) }(time.Now())
			}
			return f.computeLeased(ctx, user, tag, ahead, state, func(state store.State) (*computed, error) {
				return f.compute(ctx, user, state, ranking, f.fromClickHouse)
			})
		},
		func(ctx context.Context, c *computed) { f.save(ctx, user, tag, c) })
}

// flightKey names the computation that a request may join.
func (f *Feed) flightKey(r *request) flightKey { return flightKey{viewer: r.User, tag: r.entry.Tag} }

// aheadRest follows a computation for which nobody waited, before the next of them that can wait: where many
// viewers come back, there is always a worn reserve, and computing them all would leave ClickHouse no time
// for those who wait.
const aheadRest = 4

// refresh computes a reserve in the background, unless enough of them are under way or it is too early.
func (f *Feed) refresh(r *request, early time.Duration) {
	if early > 0 || f.flights.under() >= f.cfg.Cache.MaxRefresh || f.guards.Room.Pressed() {
		f.metrics.cache.WithLabelValues("refresh_skipped").Inc()
		return
	}
	f.computeOnce(r, true)
}

func (f *Feed) save(ctx context.Context, user core.ID, over reserve.Tag, c *computed) {
	ttl := f.jittered(f.cfg.Cache.TTL)
	if c.partial() {
		ttl = f.cfg.Cache.PartialTTL
	}
	switch {
	case c.found.unsure: // a cached reserve would show what was hidden
		f.freeLease(ctx, user, c.lease)
		return
	case c.cached:
		return
	case c.lease == "": // Redis is away, or another replica saves its own
		f.keepComputed(user, c, ttl)
		return
	}
	f.remember(ctx, c.found) // before the entry: who finds it takes what Redis says for all there is
	saved := false
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		saved, err = f.store.Save(ctx, user, c.lease, over, f.clock.Now().Add(ttl), c.reserve)
		return err
	})
	switch {
	case err != nil:
		f.metrics.cache.WithLabelValues("save_failed").Inc()
		f.keepComputed(user, c, ttl)
	case !saved:
		f.metrics.cache.WithLabelValues("overtaken").Inc()
	default:
		f.metrics.cache.WithLabelValues("saved").Inc()
	}
}

// recall reads what Redis knows of the user. Without Redis, what this replica remembers is all that is
// known: an entry, if it is so young that hardly anything can have happened that the replica did not hear.
func (f *Feed) recall(ctx context.Context, r *request) {
	var order []byte
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) (err error) {
		if r.Cursor != "" && !r.timeline {
			r.state, order, err = f.store.LoadOrder(ctx, r.User, r.session.Session)
		} else {
			r.state, err = f.store.Load(ctx, r.User)
		}
		return err
	})
	if err != nil {
		f.metrics.cache.WithLabelValues("load_failed").Inc()
		r.reports = append(r.reports, SourceReport{Name: "redis", Err: err})
		r.degraded = true
		r.state = f.local.since(r.User, r.now.Add(-f.cfg.Cache.RefreshOld))
	} else {
		f.giveBack(r, f.local.keep(r.User, r.state, r.now, f.cfg.Store))
	}
	if len(r.state.Entry) > 0 {
		if err := r.entry.Decode(r.state.Entry); err != nil {
			f.metrics.cache.WithLabelValues("malformed").Inc()
		}
	}
	if r.Cursor != "" {
		r.places = f.decodeOrder(r, order)
	}
	f.readMarks(r, r.state)
}

// seenUntil is when what the viewer sees ceases to count: with the beginning of the session. Marks
// count seconds.
func (r *request) seenUntil() time.Time {
	if r.Cursor == "" {
		return r.now.Add(time.Hour)
	}
	return r.session.StartedAt.Truncate(time.Second).Add(time.Second)
}

// decodeOrder takes the order from Redis, or from this replica's own memory.
func (f *Feed) decodeOrder(r *request, order []byte) []reserve.Place {
	if r.timeline {
		return nil
	}
	places, err := reserve.DecodeOrder(r.places[:0], r.session.Session, order)
	if err == nil {
		return places
	}
	if local, ok := f.orders.Get(orderKey{r.User, r.session.Session}); ok {
		if places, err = reserve.DecodeOrder(r.places[:0], r.session.Session, local); err == nil {
			return places
		}
	}
	return nil
}
