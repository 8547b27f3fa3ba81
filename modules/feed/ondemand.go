package feed

import (
	"context"
	"errors"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

var (
	errTooOld = errors.New("the hot set's engagement is too old")
	errEnough = errors.New("enough requests ask ClickHouse for posts already")
)

// unavailable says why the replica's hot set should not be used: it is not loaded, or too old.
func (f *Feed) unavailable() error {
	switch {
	case !f.hot.Useful():
		return hot.ErrNotLoaded
	case f.hot.Old():
		return errTooOld
	}
	return nil
}

// onDemand asks ClickHouse for the posts that one page can need: of the viewer's authors, some known
// ones, and the trending posts that the job has published.
func (f *Feed) onDemand(
	ctx context.Context, viewer *filters.Viewer, authors []reserve.Author, posts []core.ID,
) (set *hot.Set, err error) {
	select {
	case f.onDemandSlots <- struct{}{}:
		defer func() { <-f.onDemandSlots }()
	default:
		return nil, errEnough
	}
	now := f.clock.Now()
	wanted := hot.Wanted{
		Since: now.Add(-f.cfg.Hot.Window), Limit: 2 * f.cfg.ReserveSize, Posts: posts, Lists: f.lists.asHot(),
	}
	for _, a := range authors {
		if viewer.RejectAuthor(a) == nil && (a.Relation&reserve.Follows != 0 || a.Affinity() > 0) {
			wanted.Authors = append(wanted.Authors, a.ID)
		}
	}
	err = f.guards.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
		set, err = hot.OnDemand(ctx, f.direct, now, wanted)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !set.Useful():
		return nil, hot.ErrNotLoaded
	}
	f.metrics.onDemand.Inc()
	return set, nil
}

// useOnDemand finds another set for a request whose reserve is cached, where the replica's own is unavailable.
// Without one, the request does with what there is: see inReserveOrder.
func (f *Feed) useOnDemand(ctx context.Context, r *request) {
	reason := f.unavailable()
	if reason == nil || r.timeline {
		return
	}
	r.reports, r.degraded = append(r.reports, SourceReport{Name: "hot set", Err: reason}), true
	var posts []core.ID
	for i := range r.reserve.Candidates {
		posts = append(posts, r.reserve.Candidates[i].Post)
	}
	for _, place := range r.places {
		posts = append(posts, place.Post)
	}
	if set, err := f.onDemand(ctx, &r.viewer, r.reserve.Authors, posts); err == nil {
		r.hot = set
	}
}

// inReserveOrder are the reserve's posts, in its order.
func (f *Feed) inReserveOrder(_ context.Context, r *request) error {
	w := r.work
	w.reset(len(r.reserve.Authors))
	for i := range r.reserve.Candidates {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		if r.rejects(r.kind, c.Post, author) {
			continue
		}
		w.order = append(w.order, int32(len(w.posts))) //nolint:gosec // a few thousand posts
		w.posts = append(w.posts, scored{
			post: c.Post, author: author.ID, created: c.Created, source: c.Source, interactions: author.Affinity(),
			authorAt: c.Author,
		})
	}
	r.degraded = true
	return nil
}

// visibleByPostgres leaves out what the app's database says may not be shown, as far as a page can need it.
func (f *Feed) visibleByPostgres(ctx context.Context, r *request) error {
	w := r.work
	examined := w.order[:min(len(w.order), 2*r.Limit)]
	places := make([]reserve.Place, len(examined))
	for i, at := range examined {
		places[i].Post = w.posts[at].post
	}
	visible := f.lookUp(ctx, r, places)
	kept := w.order[:0]
	for i, at := range w.order {
		p := &w.posts[at]
		gone := i < len(visible) && visible[i].ID == 0
		if r.viewer.Reject(r.kind, filters.Post{ID: p.post, Author: r.reserve.Author(p.author), Gone: gone}) == nil {
			kept = append(kept, at)
		}
	}
	w.order = kept
	return nil
}

// lookUp finds posts, in their places; one that is gone has no id. Without a hot set, the app's
// database says what may be shown; without that, too, everything passes that was not deleted lately.
func (f *Feed) lookUp(ctx context.Context, r *request, places []reserve.Place) []hot.Post {
	posts := make([]hot.Post, len(places))
	if r.hot.Useful() {
		set := r.hot.View()
		defer set.Close()
		for i, place := range places {
			posts[i], _ = set.Post(place.Post)
		}
		return posts
	}
	ids := make([]core.ID, len(places))
	for i, place := range places {
		ids[i] = place.Post
	}
	var found []core.Post
	err := f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		found, err = f.fallback.Posts(ctx, ids)
		return err
	})
	for i, place := range places {
		if err != nil {
			posts[i].ID = place.Post
			continue
		}
		for _, p := range found {
			if p.ID == place.Post {
				posts[i] = hot.Post{ID: p.ID, Author: p.AuthorID, Created: p.CreatedAt.UnixMicro()}
			}
		}
	}
	return posts
}
