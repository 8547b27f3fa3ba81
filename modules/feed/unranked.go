package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// inReserveOrder are the reserve's posts, in its order.
func inReserveOrder(_ context.Context, r *request) error {
	l := r.list
	l.Reset(len(r.reserve.Authors))
	for i := range r.reserve.Candidates {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		asked := filters.Post{ID: c.Post, Author: author, Created: c.Created, Unlabelled: true}
		if r.viewer.Reject(r.kind, asked) != nil { // audience and labels are looked up
			continue
		}
		l.Order = append(l.Order, int32(len(l.Posts)))
		l.Posts = append(l.Posts, shortlist.Post{
			ID: c.Post, Author: author.ID, Created: c.Created, Source: c.Source, Interactions: author.Affinity(),
			AuthorAt: c.Author,
		})
	}
	r.Degraded = true
	return nil
}

// visibleByPostgres leaves out what the app's database says may not be shown, as far as a page can need it.
func (f *Feed) visibleByPostgres(ctx context.Context, r *request) error {
	l := r.list
	examined := l.Order[:min(len(l.Order), 2*r.Limit)]
	places := make([]reserve.Place, len(examined))
	for i, at := range examined {
		places[i].Post = l.Posts[at].ID
	}
	visible := f.lookUp(ctx, r, places)
	kept := l.Order[:0]
	for i, at := range l.Order {
		p := &l.Posts[at]
		asked := filters.Post{
			ID: p.ID, Author: r.reserve.Author(p.Author), Created: p.Created, Audience: f.unknownAudience(r),
			Unlabelled: true,
		}
		if i < len(visible) {
			asked.Gone, asked.Created = visible[i].ID == 0, visible[i].Created
			asked.Audience = visible[i].Audience
			asked.Member = r.reserve.Member(asked.Audience, visible[i].Group)
			asked.Unlabelled = false
			asked = r.labelled(asked, &visible[i])
		}
		if r.viewer.Reject(r.kind, asked) == nil {
			kept = append(kept, at)
		}
	}
	l.Order = kept
	if len(kept) == 0 && r.narrowed() && !r.Later { // the reserve has the best of all labels
		l.Reset(len(r.reserve.Authors))
		f.latestOfAll(ctx, r)
		l.AsListed()
	}
	return nil
}
