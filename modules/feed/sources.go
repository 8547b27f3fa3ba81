package feed

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// source is one place that candidates come from. To add one: write fetch, and list it.
type source struct {
	name  string
	bit   reserve.Source
	cfg   SourceConfig
	fetch func(ctx context.Context, v *computation, s source) ([]hot.Post, error)
}

// reject asks the filters about a post that is there.
func (v *computation) reject(post core.ID, author reserve.Author) *filters.Filter {
	return v.filters.Reject(filters.Ranked, filters.Post{ID: post, Author: author})
}

// sources are asked at once, for every computation.
func (f *Feed) sources() []source {
	c := f.cfg.Sources
	return []source{
		{"followees", reserve.Followee, c.Followees, f.fromFollowees},
		{"affinity", reserve.Affine, c.Affinity, f.fromAffinity},
		{"trending", reserve.Trending, c.Trending, f.fromTrending},
	}
}

// filler is asked only where the others give too few.
func (f *Feed) filler() source {
	return source{"popular", reserve.Popular, f.cfg.Sources.Popular, f.fromPopular}
}

// SourceReport says what a source gave, or why it gave nothing.
type SourceReport struct {
	Name  string
	Posts int
	Err   error
}

// fetched is what one source gave.
type fetched struct {
	source source
	posts  []hot.Post
}

// gather asks all sources at once, each within its own deadline. One that fails or is late is left
// out and reported.
func (f *Feed) gather(ctx context.Context, v *computation, sources []source) {
	all, reports := make([]fetched, len(sources)), make([]SourceReport, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			posts, err := f.ask(ctx, v, s)
			all[i], reports[i] = fetched{source: s, posts: posts},
				SourceReport{Name: s.name, Posts: len(posts), Err: err}
		})
	}
	wg.Wait()
	for _, r := range reports {
		if r.Err != nil {
			f.metrics.sourceFailures.WithLabelValues(r.Name).Inc()
		}
	}
	v.fetched, v.reports = append(v.fetched, all...), append(v.reports, reports...)
}

func (f *Feed) ask(ctx context.Context, v *computation, s source) ([]hot.Post, error) {
	if s.cfg.Limit == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	mine := *v // sources are asked at once
	mine.filters = v.filters.Fork()
	defer mine.filters.Count()
	posts, err := s.fetch(ctx, &mine, s)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return posts, nil
}

// fromFollowees gives the latest posts of those whom the viewer follows.
func (f *Feed) fromFollowees(_ context.Context, v *computation, s source) ([]hot.Post, error) {
	return f.latestOf(v, s, len(v.reserve.Authors),
		func(a reserve.Author) bool { return a.Relation&reserve.Follows != 0 }), nil
}

// fromAffinity gives the latest posts of the authors that the viewer cares for most.
func (f *Feed) fromAffinity(_ context.Context, v *computation, s source) ([]hot.Post, error) {
	var values []float64
	for _, a := range v.reserve.Authors {
		if a.Affinity() > 0 {
			values = append(values, a.Affinity())
		}
	}
	slices.Sort(values)
	least := 0.0
	if n := len(values) - f.cfg.Sources.MaxAffinity; n > 0 {
		least = values[n]
	}
	return f.latestOf(v, s, f.cfg.Sources.MaxAffinity,
		func(a reserve.Author) bool { return a.Affinity() > 0 && a.Affinity() >= least }), nil
}

// latestOf gives the latest posts of at most authors authors, the latest of all.
func (f *Feed) latestOf(v *computation, s source, authors int, which func(reserve.Author) bool) []hot.Post {
	edge := v.now.Add(-f.cfg.Hot.Window).UnixMicro()
	var posts []hot.Post
	set := v.hot.View()
	for _, a := range v.reserve.Authors {
		if authors == 0 || !which(a) || v.filters.RejectAuthor(a) != nil {
			continue
		}
		authors--
		taken := 0
		set.ByAuthor(a.ID, func(p *hot.Post) bool {
			if p.Created < edge || taken == s.cfg.PerAuthor {
				return false
			}
			if v.reject(p.ID, a) == nil {
				posts = append(posts, *p)
				taken++
			}
			return true
		})
	}
	set.Close()
	return latest(posts, s.cfg.Limit)
}

func latest(posts []hot.Post, limit int) []hot.Post {
	if len(posts) > limit {
		slices.SortFunc(posts, func(a, b hot.Post) int {
			return cmp.Or(cmp.Compare(b.Created, a.Created),
				cmp.Compare(b.ID, a.ID))
		})
		posts = posts[:limit]
	}
	return posts
}

// fromTrending gives the top of the last 24 hours.
func (f *Feed) fromTrending(_ context.Context, v *computation, s source) ([]hot.Post, error) {
	return listed(v, s, v.hot.Lists().Day), nil
}

// fromPopular gives what is recent and popular: the cold start.
func (f *Feed) fromPopular(_ context.Context, v *computation, s source) ([]hot.Post, error) {
	return listed(v, s, v.hot.Lists().Popular), nil
}

// listed takes from a list what the viewer may see.
func listed(v *computation, s source, list []hot.Ranked) []hot.Post {
	posts := make([]hot.Post, 0, min(s.cfg.Limit, len(list)))
	for i := range list {
		p := &list[i].Post
		if len(posts) == s.cfg.Limit {
			break
		}
		if v.reject(p.ID, v.reserve.Author(p.Author)) == nil {
			posts = append(posts, *p)
		}
	}
	return posts
}
