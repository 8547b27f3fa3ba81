package feed

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/published"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

// position is a place in the order of time: what comes later is older.
type position struct {
	created int64 // microseconds since 1970
	post    core.ID
}

func (p position) after(o position) bool {
	return p.created < o.created || (p.created == o.created && p.post < o.post)
}

// timelineKind is what the filters take a timeline for. One that was asked for is complete: a post was not read because
// it was on screen. One that stands in for a ranked feed has the filters of that.
func (f *Feed) timelineKind(r *request) filters.Kind {
	if r.Session.Algo != cursor.Timeline || f.cfg.TimelineHidesSeen {
		return filters.Ranked
	}
	return filters.Complete
}

// timelinePage is what the followees posted, and others in the viewer's groups, latest first, from where the cursor
// says. The hot set has what is inside its window, PostgreSQL what is older, and all while followees are not known.
func (f *Feed) timelinePage(ctx context.Context, r *request) error {
	l := r.list
	l.Reset(len(r.reserve.Authors))
	at := position{created: math.MaxInt64}
	if r.Later {
		at = position{r.Session.LastCreated, r.Session.LastPost}
	}
	wanted := r.Limit + 1 // one more tells whether there is another page
	edge := position{math.MaxInt64, math.MinInt64}
	// whom the viewer follows; PostgreSQL is asked once more, with the rest of the budget
	unknown := r.ServedFrom == page.FromTrending
	if f.hot.Useful() && !unknown {
		edge.created = r.Now.Add(-f.cfg.Hot.Window).UnixMicro()
		at = f.recentTimeline(r, at, edge, wanted)
	}
	var (
		ended bool
		err   error
	)
	for batch := 0; len(l.Posts) < wanted && !ended && batch < 3; batch++ {
		at, ended, err = f.olderTimeline(ctx, r, at, wanted)
	}
	switch {
	case unknown && err == nil:
		r.ServedFrom = page.FromPostgres
	case len(l.Posts) == 0 && ended && !r.Later && (unknown || r.Session.Algo == cursor.Ranked):
		f.latestOfAll(ctx, r)
	}
	f.finishTimeline(r, at, ended)
	return nil
}

// recentTimeline adds posts from the hot set and gives the position from where it knows none.
func (f *Feed) recentTimeline(r *request, at, edge position, wanted int) position {
	kind, set := f.timelineKind(r), f.hot.View()
	var posts []hot.Post
	for some := range f.followed(r, set) {
		taken := 0
		for p, author := range some {
			if p.Created < edge.created || taken == wanted {
				break
			}
			if (position{p.Created, p.ID}).after(at) && !r.rejects(kind, p, author) {
				posts = append(posts, *p)
				taken++
			}
		}
	}
	set.Close()
	slices.SortFunc(posts, func(a, b hot.Post) int {
		return cmp.Or(cmp.Compare(b.Created, a.Created),
			cmp.Compare(b.ID, a.ID))
	})
	for i := range posts[:min(wanted, len(posts))] {
		source := reserve.Followee
		if r.reserve.Author(posts[i].Author).Relation&reserve.Follows == 0 {
			source = reserve.Grouped
		}
		r.list.Add(&posts[i], source, r.reserve)
		at = position{posts[i].Created, posts[i].ID}
	}
	if len(posts) < wanted && edge.after(at) {
		return edge
	}
	return at
}

// olderTimeline adds a batch from PostgreSQL. ended says that there is no more, or no answer.
func (f *Feed) olderTimeline(ctx context.Context, r *request, at position, wanted int) (next position, ended bool,
	err error,
) {
	if at.created == math.MaxInt64 { // what is dated ahead is held back
		at = position{created: r.viewer.Until}
	}
	var posts []followedPost
	err = f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		posts, err = f.followedBefore(ctx, r.User, at, wanted)
		return err
	})
	if err != nil {
		r.Sources = append(r.Sources, stages.Report{Name: "postgres", Err: err})
		r.Degraded = true
		return at, true, err
	}
	f.addFromPostgres(r, posts, wanted, &at)
	return at, len(posts) < wanted, nil
}

// followedPost is a post that the app's database gives, and why.
type followedPost struct {
	core.Post
	source reserve.Source
}

func from(source reserve.Source, posts []core.Post) []followedPost {
	out := make([]followedPost, len(posts))
	for i, p := range posts {
		out[i] = followedPost{p, source}
	}
	return out
}

// followedBefore reads the latest posts of followees and in the viewer's groups after a position.
func (f *Feed) followedBefore(ctx context.Context, viewer core.ID, at position, wanted int) ([]followedPost, error) {
	posts, err := f.fallback.Timeline(ctx, viewer, at.created, at.post, wanted)
	if err != nil || !f.cfg.Sources.Groups.On() {
		return from(reserve.Followee, posts), err
	}
	inGroups, err := f.fallback.GroupTimeline(ctx, viewer, at.created, at.post, wanted)
	if err != nil {
		return nil, err
	}
	all := append(from(reserve.Followee, posts), from(reserve.Grouped, inGroups)...)
	slices.SortFunc(all, func(a, b followedPost) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return all[:min(wanted, len(all))], nil
}

// latestOfAll is for a viewer whose followees have no posts or are not known, while nothing can be ranked.
func (f *Feed) latestOfAll(ctx context.Context, r *request) {
	var posts []core.Post
	err := f.guards.Postgres.Do(ctx, func(ctx context.Context) (err error) {
		posts, err = f.fallback.Recent(ctx, r.User, time.UnixMicro(r.viewer.Until), r.Limit)
		return err
	})
	if err != nil {
		r.ServedFrom = page.FromTrending
		_ = f.backfill(ctx, r) // what the hot set heard of since it started
		for _, list := range [][]hot.Ranked{f.lists.Of(published.Day), f.lists.Of(published.Week)} {
			for i := range list {
				post := list[i].Post
				post.Audience, post.Labels = f.unknownAudience(r), r.hot.LabelSet(list[i].Labels)
				if p, heard := f.heard(post.ID); heard {
					post.Created, post.Labels = p.Created, p.Labels
				}
				f.offer(r, &post, reserve.Trending)
			}
		}
		return
	}
	f.addFromPostgres(r, from(reserve.Popular, posts), r.Limit, &position{})
}

// heard is a post that this replica has heard of, whether or not its hot set is loaded.
func (f *Feed) heard(post core.ID) (hot.Post, bool) {
	set := f.hot.View()
	defer set.Close()
	return set.Post(post)
}

func (f *Feed) addFromPostgres(r *request, posts []followedPost, wanted int, at *position) {
	kind := f.timelineKind(r)
	for _, p := range posts {
		if len(r.list.Posts) == wanted {
			return
		}
		*at = position{p.CreatedAt.UnixMicro(), p.ID}
		author := r.reserve.Author(p.AuthorID)
		if p.source == reserve.Followee && author.Relation&reserve.Unfollowed == 0 { // the app's database says so
			author.Relation |= reserve.Follows
		}
		member := r.reserve.Member(p.Audience, p.Group) ||
			p.source == reserve.Grouped && p.Audience == core.Members // likewise
		if r.viewer.Reject(kind, filters.Post{
			ID: p.ID, Author: author, Created: at.created, Audience: p.Audience, Member: member,
			Labels: p.Labels, InGroup: p.source == reserve.Grouped || r.reserve.InGroup(p.Group),
		}) == nil && !r.list.Has(p.ID) {
			post := r.hot.PostOf(p.Post)
			r.list.Add(&post, p.source, r.reserve)
		}
	}
}

// finishTimeline cuts the page, keeps its order, and says where the next one begins.
func (f *Feed) finishTimeline(r *request, at position, ended bool) {
	l := r.list
	l.Score(&r.Ranking.Config, r.Now)
	l.AsListed()
	l.Order = l.Order[:min(r.Limit, len(l.Order))]
	for _, at := range l.Order {
		l.Posts[at].Before = at
	}
	r.show(l.Order)
	more := len(l.Posts) > r.Limit
	if more {
		last := &l.Posts[r.Limit-1]
		at = position{last.Created, last.ID}
	}
	if more || !ended {
		next := r.Session
		if next.Algo == cursor.Ranked {
			next.Algo = cursor.StandIn
		}
		next.LastCreated, next.LastPost = at.created, at.post
		next.Shown += len(r.Items)
		r.Next = &next
	}
}
