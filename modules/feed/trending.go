package feed

import (
	"context"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Weekly ranks the trending posts of more days than the hot set covers.
type Weekly interface {
	Since(ctx context.Context, since, now time.Time, ranking *rank.Config, limit int) ([]hot.Ranked, error)
}

var _ Weekly = (*hot.ClickHouse)(nil)

// The windows of trending.
const (
	windowHour = "1h"
	windowDay  = "24h"
	windowWeek = "7d"
)

// weekEvery is how long the week's list is used before it is asked for again.
const weekEvery = time.Minute

// weekCache holds the week's list, which is the same for everybody.
type weekCache struct {
	mu     sync.Mutex
	list   []hot.Ranked
	at     time.Time // when it was asked for last
	asking bool
}

// trendingPage fills the request with the list of a window: the same for everybody, but for one's own posts, hidden
// ones, and those of authors who are blocked or muted. That a post was seen keeps it off no list.
func (f *Feed) trendingPage(ctx context.Context, r *request) error {
	if r.hot.Useful() || r.timeline {
		r.servedFrom, r.timeline = FromTrending, false
	}
	list := f.trendingList(ctx, r, r.Window)
	w := r.work
	w.reset(len(r.reserve.Authors))
	edge := r.now.Add(-f.cfg.Hot.Window).UnixMicro()
	places := make([]reserve.Place, len(list))
	for i := range list {
		places[i].Post = list[i].Post.ID
	}
	visible := f.lookUp(ctx, r, places)
	for i := range list {
		p := &list[i].Post
		if len(w.posts) == r.Limit {
			break
		}
		// What is young must be there, or it is gone; what is older was checked with the list.
		gone := visible[i].ID == 0 && p.Created >= edge
		if r.viewer.Reject(filters.Complete, filters.Post{
			ID: p.ID, Author: r.reserve.Author(p.Author),
			Gone: gone,
		}) == nil {
			w.add(p, reserve.Trending, r.reserve).score = list[i].Value
			w.order = append(w.order, int32(len(w.posts)-1)) //nolint:gosec // at most a page
		}
	}
	r.page = w.order
	r.viewer.Count()
	return nil
}

// trendingList is the list of a window: of a day and less the hot set's own, of a week the one that
// the job has published, or one that is asked for here.
func (f *Feed) trendingList(ctx context.Context, r *request, window string) []hot.Ranked {
	own := r.hot.Lists()
	switch {
	case window != windowWeek && !r.hot.Useful():
		return f.lists.list(window)
	case window == windowHour:
		return own.Hour
	case window == windowDay:
		return own.Day
	}
	if list := f.lists.list(windowWeek); len(list) > 0 {
		return list
	}
	week, err := f.week7(ctx, r.ranking, r.now)
	if err != nil {
		r.reports = append(r.reports, SourceReport{Name: "week", Err: err})
		r.degraded = true
		return own.Day
	}
	return week
}

// week7 is the list of seven days: from memory, and asked for again by one request a minute, while
// the others use what there is.
func (f *Feed) week7(ctx context.Context, ranking *rank.Versioned, now time.Time) ([]hot.Ranked, error) {
	c := &f.week
	c.mu.Lock()
	if c.list != nil && (c.asking || now.Sub(c.at) < weekEvery) {
		defer c.mu.Unlock()
		return c.list, nil
	}
	if c.asking {
		c.mu.Unlock()
		return nil, core.Unavailable("the list of the week", time.Second, nil)
	}
	c.asking = true
	c.mu.Unlock()

	var list []hot.Ranked
	err := f.guards.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
		list, err = f.weekly.Since(ctx, now.AddDate(0, 0, -7), now, &ranking.Config, f.cfg.Hot.ListPosts)
		return err
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking, c.at = false, now
	if err != nil {
		return c.list, orNil(c.list, err)
	}
	c.list = list
	return list, nil
}

// orNil is no error where there is an older list to show.
func orNil(list []hot.Ranked, err error) error {
	if list != nil {
		return nil
	}
	return err
}
