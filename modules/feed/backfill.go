package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// newCandidates adds what has come into the lists of everybody since the reserve was made: popular posts, as in
// a computation, only as far as the others are too few.
func (f *Feed) newCandidates(_ context.Context, r *request) error {
	lists, since := r.hot.Lists(), r.reserve.BuiltAt.Add(-clockSkew)
	f.offerNew(r, lists.Day, f.cfg.Sources.Trending.Limit, reserve.Trending, since)
	missing := f.cfg.Sources.Popular.Limit
	for i := range r.list.Posts {
		if r.list.Posts[i].Source != reserve.Popular {
			missing--
		}
	}
	f.offerNew(r, lists.Popular, missing, reserve.Popular, since)
	return nil
}

func (f *Feed) offerNew(r *request, list []hot.Ranked, most int, source reserve.Source, since time.Time) {
	if most <= 0 {
		return
	}
	set := r.hot.View()
	defer set.Close()
	for i := range list[:min(most, len(list))] {
		if list[i].Since.Before(since) {
			continue
		}
		if p, ok := set.Post(list[i].Post.ID); ok && !r.rejects(r.kind, &p, r.reserve.Author(p.Author)) &&
			!r.list.Has(p.ID) {
			r.list.Add(&p, source, r.reserve).Fresh = true
		}
	}
}

// backfill adds posts for everybody where the reserve has too few for a page: trending and popular ones
// first, then any, and at last, rather than an empty page, those that were seen before.
func (f *Feed) backfill(_ context.Context, r *request) error {
	if len(r.list.Posts) >= r.Limit {
		return nil
	}
	r.listed.Reset(2 * f.cfg.ReserveSize)
	for i := range r.list.Posts {
		r.listed.Add(r.list.Posts[i].ID)
	}
	lists := r.hot.Lists()
	f.offerList(r, lists.Day, reserve.Trending)
	f.offerList(r, lists.Popular, reserve.Popular)
	if len(r.list.Posts) >= r.Limit {
		return nil
	}
	f.offerAll(r, func(p *hot.Post) { f.offer(r, p, reserve.Popular) })
	if len(r.list.Posts) > 0 || !f.cfg.RepeatSeen || r.Later {
		return nil
	}
	f.offerAll(r, func(p *hot.Post) {
		if !r.rejects(filters.Complete, p, r.reserve.Author(p.Author)) {
			r.list.Add(p, reserve.Popular, r.reserve).Repeated = true
		}
	})
	return nil
}

// offerList adds the posts of a list that still stand.
func (f *Feed) offerList(r *request, list []hot.Ranked, source reserve.Source) {
	set := r.hot.View()
	defer set.Close()
	for i := range list {
		if p, ok := set.Post(list[i].Post.ID); ok {
			f.offer(r, &p, source)
		}
	}
}

// offer adds a post unless a filter rejects it, or it is listed already.
func (f *Feed) offer(r *request, p *hot.Post, source reserve.Source) {
	if !r.rejects(r.kind, p, r.reserve.Author(p.Author)) && r.listed.Add(p.ID) {
		r.list.Add(p, source, r.reserve)
	}
}

// offerAll goes through the whole hot set, for the viewer who has nearly emptied it.
func (f *Feed) offerAll(r *request, offer func(*hot.Post)) {
	set := r.hot.View()
	defer set.Close()
	set.All(func(p *hot.Post) bool {
		offer(p)
		return len(r.list.Posts) < f.cfg.ReserveSize
	})
}
