package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/shortlist"
)

// stillVisible are the reserve's posts that are still there, without what the viewer may not or need not see.
func (f *Feed) stillVisible(_ context.Context, r *request) error {
	l := r.list
	l.Reset(len(r.reserve.Authors))
	set := r.hot.View()
	defer set.Close()
	r.wanted = r.wanted[:0]
	for i := range r.reserve.Candidates {
		r.wanted = append(r.wanted, r.reserve.Candidates[i].Post)
	}
	r.found = set.GetAll(r.found[:0], r.wanted)
	for i, p := range r.found {
		c := &r.reserve.Candidates[i]
		author := r.reserve.Authors[c.Author]
		gone := p == nil || p.Author != author.ID // deleted or hidden meanwhile
		asked := filters.Post{ID: c.Post, Author: author, Gone: gone}
		if !gone {
			asked.Created, asked.Audience = p.Created, p.Audience
			if p.Audience == core.Members { // else its group is not looked at: see below
				asked.Member = r.reserve.Member(p.Audience, p.Group)
			}
			asked = r.labelled(asked, p)
		}
		if r.viewer.Reject(r.kind, asked) != nil {
			continue
		}
		if c.Source == reserve.Grouped && !r.reserve.InGroup(p.Group) { // the viewer left, or the post did
			continue
		}
		l.Posts = append(l.Posts, shortlist.Post{
			ID: p.ID, Author: p.Author, Created: p.Created, Source: c.Source, Interactions: author.Affinity(),
			Suppressed: p.Suppressed || p.Few,
			AuthorAt:   c.Author, Rated: true, Terms: rank.Terms{Engagement: set.EngagementTerm(p, r.Ranking)},
		})
		if r.Explain { // else the counts are not looked at: they are another cache line of each post
			l.Posts[len(l.Posts)-1].Engagement = p.Day()
		}
	}
	clear(r.found) // they hold no longer than the view
	return nil
}

// clockSkew is by how much a reserve that another replica computed may seem to be too young.
const clockSkew = 5 * time.Second

// arrivals adds the posts of those whom the viewer follows or cares for, and of their groups, that came in, or whose
// time has come, since the reserve was made.
func (f *Feed) arrivals(_ context.Context, r *request) error {
	edge := r.Now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := r.hot.View()
	defer set.Close()
	if r.narrowed() {
		f.addNarrowed(r, set, edge)
		return nil
	}
	since := r.reserve.BuiltAt.Add(-clockSkew)
	arrive := func(p *hot.Post, author reserve.Author) bool {
		if source := f.sourceOf(r.reserve, author, p.Group); source != 0 && p.Created >= edge &&
			!r.rejects(r.kind, p, author) && !r.list.Has(p.ID) {
			r.list.Add(p, source, r.reserve).Fresh = true
		}
		return len(r.list.Posts) < 2*f.cfg.ReserveSize
	}
	arrived := func(post, authorID, group core.ID) bool {
		if _, known := r.reserve.Find(authorID); !known && !f.inGroup(r.reserve, group) {
			return true
		}
		p, ok := set.Post(post)
		return !ok || arrive(&p, r.reserve.Author(p.Author))
	}
	if n, all := set.Arrivals(since); !all || n > len(r.reserve.Authors) {
		f.arrivedOf(r, set, since.Add(-hot.LateArrival).UnixMicro(), arrive)
		set.LateSince(since, arrived)
		return nil
	}
	set.ArrivedSince(since, arrived)
	tolerance := f.cfg.Hot.ClockTolerance // what came in long before, and has come of age since
	set.DueSince(since.Add(tolerance), r.Now.Add(tolerance), func(p *hot.Post) bool {
		return arrive(p, r.reserve.Author(p.Author))
	})
	return nil
}

// arrivedOf goes through the latest posts of each author and group instead of all that arrived: to this replica not
// every arrival is known, or there were so many that this is less.
func (f *Feed) arrivedOf(r *request, set hot.View, since int64, arrive func(*hot.Post, reserve.Author) bool) {
	more := true
	young := func(p *hot.Post) bool {
		if p.Created < since {
			return false
		}
		more = arrive(p, r.reserve.Author(p.Author))
		return more
	}
	for _, author := range r.reserve.Authors {
		if more && f.sourceOf(r.reserve, author, 0) != 0 {
			set.ByAuthor(author.ID, young)
		}
		if more && f.inGroup(r.reserve, author.ID) {
			set.ByGroup(author.ID, young)
		}
		if !more {
			return
		}
	}
}

// sourceOf is the source that an author's new post in a group comes from; zero: from none, of a stranger.
func (f *Feed) sourceOf(viewer *reserve.Reserve, author reserve.Author, group core.ID) reserve.Source {
	switch {
	case author.Relation&reserve.Follows != 0:
		return reserve.Followee
	case author.Affinity() > 0:
		return reserve.Affine
	case f.inGroup(viewer, group):
		return reserve.Grouped
	}
	return 0
}

// inGroup tells whether the viewer gets a group's posts: they are a member. 0 is no group.
func (f *Feed) inGroup(viewer *reserve.Reserve, group core.ID) bool {
	return group.Valid() && f.cfg.Sources.Groups.On() && viewer.InGroup(group)
}
