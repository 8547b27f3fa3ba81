package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// coldPage makes a first page from a cached reserve while the hot set is not loaded yet: there is no
// engagement to score with, so the reserve keeps its order, and the app's database says what may be
// shown.
func (f *Feed) coldPage(ctx context.Context, r *request) {
	w := r.work
	w.reset(len(r.reserve.Authors))
	for i := range r.reserve.Candidates {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		if f.bars(r, c.Post, author) {
			continue
		}
		w.order = append(w.order, int32(len(w.posts))) //nolint:gosec // a few thousand posts
		w.posts = append(w.posts, scored{
			post: c.Post, author: author.ID, created: c.Created, source: c.Source, interactions: author.Affinity(), authorAt: c.Author,
		})
	}
	r.degraded = true
	examined := w.order[:min(len(w.order), 2*r.Limit)]
	places := make([]reserve.Place, len(examined))
	for i, at := range examined {
		places[i].Post = w.posts[at].post
	}
	standing := f.lookUp(ctx, places)
	kept := w.order[:0]
	for i, at := range w.order {
		if i >= len(standing) || standing[i].ID != 0 {
			kept = append(kept, at)
		}
	}
	w.order = kept
}

// lookUp finds posts, in their places; one that is gone has no id. Without the hot set, the app's
// database says what may be shown; without that, too, everything passes that was not deleted lately.
func (f *Feed) lookUp(ctx context.Context, places []reserve.Place) []hot.Post {
	posts := make([]hot.Post, len(places))
	if f.hot.Useful() {
		set := f.hot.View()
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
