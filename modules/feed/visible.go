package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// rejectedBy is the filter that leaves out a post that is there; nil: none does.
func (r *request) rejectedBy(kind filters.Kind, p *hot.Post, author reserve.Author) *filters.Filter {
	return r.viewer.Reject(kind, r.labelled(filters.Post{
		ID: p.ID, Author: author, Created: p.Created, Audience: p.Audience,
		Member: r.reserve.Member(p.Audience, p.Group),
	}, p))
}

// rejects tells whether a filter does.
func (r *request) rejects(kind filters.Kind, p *hot.Post, author reserve.Author) bool {
	return r.rejectedBy(kind, p, author) != nil
}

// unknownAudience is that of a post of which nobody can be asked: nobody sees it, where it may be for some, or where it
// may have a label that matters.
func (f *Feed) unknownAudience(r *request) core.Audience {
	if f.restricted || r.viewer.Labels.Any() {
		return core.Direct
	}
	return core.Public
}

// lookUp finds posts, in their places; one that is gone has no id. Without a hot set, the app's
// database says what may be shown; without that, too, everything passes,
// unless posts have audiences.
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
			posts[i].ID, posts[i].Audience = place.Post, f.unknownAudience(r)
			continue
		}
		for _, p := range found {
			if p.ID == place.Post {
				posts[i] = r.hot.PostOf(p)
			}
		}
	}
	return posts
}
