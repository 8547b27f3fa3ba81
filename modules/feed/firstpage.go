package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// stillVisible are the reserve's posts that are still there, without what the viewer may not or need not see.
func (f *Feed) stillVisible(_ context.Context, r *request) error {
	w := r.work
	w.reset(len(r.reserve.Authors))
	set := r.hot.View()
	defer set.Close()
	w.wanted = w.wanted[:0]
	for i := range r.reserve.Candidates {
		w.wanted = append(w.wanted, r.reserve.Candidates[i].Post)
	}
	w.found = set.GetAll(w.found[:0], w.wanted)
	for i, p := range w.found {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		gone := p == nil || p.Author != author.ID // deleted or hidden meanwhile
		if r.viewer.Reject(r.kind, filters.Post{ID: c.Post, Author: author, Gone: gone}) != nil {
			continue
		}
		w.posts = append(w.posts, scored{
			post: p.ID, author: p.Author, created: p.Created, source: c.Source, interactions: author.Affinity(),
			suppressed: p.Suppressed || p.Few,
			authorAt:   c.Author, rated: true, terms: rank.Terms{Engagement: set.EngagementTerm(p, r.ranking)},
		})
		if r.Explain { // else the counts are not looked at: they are another cache line of each post
			w.posts[len(w.posts)-1].engagement = p.Day()
		}
	}
	clear(w.found) // they hold no longer than the view
	return nil
}

// clockSkew is by how much a reserve that another replica computed may seem to be too young.
const clockSkew = 5 * time.Second

// arrivals adds the posts of those whom the viewer follows or cares for that came in since the
// reserve was made.
func (f *Feed) arrivals(_ context.Context, r *request) error {
	edge := r.now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := r.hot.View()
	defer set.Close()
	since := r.reserve.BuiltAt.Add(-clockSkew)
	arrive := func(p *hot.Post, author reserve.Author) bool {
		if source := sourceOf(author); source != 0 && p.Created >= edge &&
			!r.rejects(r.kind, p.ID, author) && !r.holds(p.ID) {
			r.work.add(p, source, r.reserve).fresh = true
		}
		return len(r.work.posts) < 2*f.cfg.ReserveSize
	}
	if n, all := set.Arrivals(since); !all || n > len(r.reserve.Authors) {
		f.arrivedOf(r, set, since.Add(-lateArrival).UnixMicro(), arrive)
		return nil
	}
	set.ArrivedSince(since, func(post, authorID core.ID) bool {
		at, known := r.reserve.Find(authorID)
		if !known {
			return true
		}
		p, ok := set.Post(post)
		return !ok || arrive(&p, r.reserve.Authors[at])
	})
	return nil
}

// lateArrival is how long after it was made a post may become visible and still be found by its author,
// without having been noted as an arrival: while changes from the app's database are late, for instance.
const lateArrival = time.Hour

// arrivedOf goes through the latest posts of each author instead of all that arrived: to this replica not
// every arrival is known, or there were so many that this is less.
func (f *Feed) arrivedOf(r *request, set hot.View, since int64, arrive func(*hot.Post, reserve.Author) bool) {
	for _, author := range r.reserve.Authors {
		if sourceOf(author) == 0 {
			continue
		}
		more := true
		set.ByAuthor(author.ID, func(p *hot.Post) bool {
			if p.Created < since {
				return false
			}
			more = arrive(p, author)
			return more
		})
		if !more {
			return
		}
	}
}

// sourceOf is the source that an author's new posts come from; zero for a stranger.
func sourceOf(author reserve.Author) reserve.Source {
	switch {
	case author.Relation&reserve.Follows != 0:
		return reserve.Followee
	case author.Affinity() > 0:
		return reserve.Affine
	}
	return 0
}

// holds tells whether the list has a post. It is asked for the few posts that are new.
func (r *request) holds(post core.ID) bool {
	for i := range r.work.posts {
		if r.work.posts[i].post == post {
			return true
		}
	}
	return false
}

// rejects asks the filters about a post that is there.
func (r *request) rejects(kind filters.Kind, post core.ID, author reserve.Author) bool {
	return r.viewer.Reject(kind, filters.Post{ID: post, Author: author}) != nil
}
