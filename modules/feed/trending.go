package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

// trendingPage fills the request with the list of a window: the same for everybody, but for one's own posts, hidden
// ones, and those of authors who are blocked or muted. That a post was seen keeps it off no list.
func (f *Feed) trendingPage(ctx context.Context, r *request) error {
	if r.hot.Useful() || r.ByTime {
		r.ServedFrom, r.ByTime = page.FromTrending, false
	}
	list := f.trendingList(ctx, r, r.Window)
	l := r.list
	l.Reset(len(r.reserve.Authors))
	edge := r.Now.Add(-f.cfg.Hot.Window).UnixMicro()
	places := make([]reserve.Place, len(list))
	for i := range list {
		places[i].Post = list[i].Post.ID
	}
	visible := f.lookUp(ctx, r, places)
	withdrawn := f.withdrawn(places)
	for i := range list {
		p := &list[i].Post
		if len(l.Posts) == r.Limit {
			break
		}
		// What is young must be there, or it is gone; what is older was checked with the list.
		gone := visible[i].ID == 0 && p.Created >= edge
		created, labels := p.Created, list[i].Labels
		if visible[i].ID != 0 { // it may have another date since, and other labels
			created, labels = visible[i].Created, ""
		}
		asked := r.labelled(filters.Post{
			ID: p.ID, Author: r.reserve.Author(p.Author),
			Gone: gone || withdrawn[i], Created: created, Audience: visible[i].Audience, Labels: labels,
		}, &visible[i])
		if r.viewer.Reject(filters.Everybody, asked) == nil {
			l.Add(p, reserve.Trending, r.reserve).Score = list[i].Value
			l.Order = append(l.Order, int32(len(l.Posts)-1))
		}
	}
	r.show(l.Order)
	r.viewer.Count()
	return nil
}

// withdrawn tells which posts, not in the hot set, were deleted, hidden or made less than public lately.
func (f *Feed) withdrawn(places []reserve.Place) []bool {
	set := f.hot.View() // which hears of changes, whatever the request is made of
	defer set.Close()
	all := make([]bool, len(places))
	for i, place := range places {
		all[i] = set.Withdrawn(place.Post)
	}
	return all
}

// trendingList is the list of a window: of a day and less the hot set's own, of a week the one that
// the job has published, or one that is asked for here.
func (f *Feed) trendingList(ctx context.Context, r *request, window string) []hot.Ranked {
	own := r.hot.Lists()
	switch {
	case window != published.Week && !r.hot.Useful():
		return f.lists.Of(window)
	case window == published.Hour:
		return own.Hour
	case window == published.Day:
		return own.Day
	}
	if list := f.lists.Of(published.Week); len(list) > 0 {
		return list
	}
	week, err := f.week.List(ctx, &r.Ranking.Config, r.Now)
	if err != nil {
		r.Sources = append(r.Sources, stages.Report{Name: "week", Err: err})
		r.Degraded = true
		return own.Day
	}
	return week
}
