package hot

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Direct answers for some posts what Source answers for all.
type Direct interface {
	// PostsOf gives the newest visible posts of some authors and in some groups since a time, at most limit.
	PostsOf(ctx context.Context, authors, groups []core.ID, since time.Time, limit int, add func(core.Post)) error
	// PostsByID gives those of some posts that are visible.
	PostsByID(ctx context.Context, ids []core.ID, add func(core.Post)) error
	// EngagementOf is Source.Engagement of some posts.
	EngagementOf(ctx context.Context, ids []core.ID, since, hour time.Time,
		add func(core.ID, Age, core.Engagement)) error
}

// Wanted are the posts that one viewer's page can need.
type Wanted struct {
	Authors []core.ID // whose posts
	Groups  []core.ID // and those in these groups
	Since   time.Time // how old they may be
	Limit   int       // how many of them
	Posts   []core.ID // and these posts
	Lists   *Lists    // and those of these lists, as far as they are visible
	Beside  *Set      // the replica's own set, whose label sets it shares; nil: it has its own
}

// OnDemand asks for these posts now, and makes a set of them. It stands in for a set that is not loaded or
// too old; it does not follow anything.
func OnDemand(ctx context.Context, from Direct, now time.Time, wanted Wanted) (*Set, error) {
	labels := newLabelSets()
	if wanted.Beside != nil {
		labels = wanted.Beside.labels
	}
	posts := newIndex(wanted.Limit, nil, labels)
	add := func(p core.Post) { posts.put(&p) }
	var young []arrival
	if len(wanted.Authors)+len(wanted.Groups) > 0 {
		err := from.PostsOf(ctx, wanted.Authors, wanted.Groups, wanted.Since, wanted.Limit, func(p core.Post) {
			add(p)
			made := p.CreatedAt.UnixMicro()
			young = append(young, arrival{ID: p.ID, Author: p.AuthorID, Group: p.Group, at: made, created: made})
		})
		if err != nil {
			return nil, err
		}
	}
	var missing []core.ID
	want := func(id core.ID) {
		if posts.get(id) == nil {
			missing = append(missing, id)
		}
	}
	for _, id := range wanted.Posts {
		want(id)
	}
	for _, list := range [][]Ranked{wanted.Lists.Hour, wanted.Lists.Day, wanted.Lists.Popular} {
		for i := range list {
			want(list[i].Post.ID)
		}
	}
	if len(missing) > 0 {
		if err := from.PostsByID(ctx, missing, add); err != nil {
			return nil, err
		}
	}
	hour := now.Truncate(time.Hour)
	if posts.len() > 0 {
		err := from.EngagementOf(ctx, posts.ids(), dayBefore(hour), hour, func(id core.ID, age Age, e core.Engagement) {
			if p := posts.get(id); p != nil {
				posts.count(p, age, countsOf(e), dislikesOf(e))
			}
		})
		if err != nil {
			return nil, err
		}
	}
	s := &Set{index: posts, labels: labels, hour: hour}
	for i := len(young) - 1; i >= 0; i-- { // what a cached reserve may not know of, oldest first
		s.arrivals.add(young[i])
	}
	s.loadedAt.Store(now.UnixMicro())
	s.engagementAt.Store(now.UnixMicro())
	s.lists.Store(&Lists{
		At: now, Hour: posts.standing(wanted.Lists.Hour), Day: posts.standing(wanted.Lists.Day),
		Popular: posts.standing(wanted.Lists.Popular),
	})
	return s, nil
}

func (x *index) ids() []core.ID {
	ids := make([]core.ID, 0, x.len())
	for place := range x.used {
		if p := x.at(place); p.ID != 0 {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// standing is what is left of a list.
func (x *index) standing(list []Ranked) []Ranked {
	var left []Ranked
	for i := range list {
		if p := x.get(list[i].Post.ID); p != nil && p.Audience == core.Public {
			left = append(left, Ranked{Post: *p, Value: list[i].Value})
		}
	}
	return left
}
