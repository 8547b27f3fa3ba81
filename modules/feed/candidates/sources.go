package candidates

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/feed/stages"
)

// source is one place that candidates come from. To add one: write fetch, and list it.
type source struct {
	name  string
	bit   reserve.Source
	cfg   SourceConfig
	fetch func(ctx context.Context, c *computation, s source) ([]hot.Post, error)
}

// reject asks the filters about a post that is there.
func (c *computation) reject(p *hot.Post, author reserve.Author) *filters.Filter {
	return c.filters.Reject(filters.Ranked, Labelled(filters.Post{
		ID: p.ID, Author: author, Created: p.Created, Audience: p.Audience,
		Member: c.reserve.Member(p.Audience, p.Group),
	}, p, c.hot, &c.filters, c.reserve))
}

// Labelled adds to what a viewer's filters are asked what they need of a post of a set that has labels.
func Labelled(asked filters.Post, p *hot.Post, of *hot.Set, v *filters.Viewer, viewer *reserve.Reserve) filters.Post {
	if p.Labels != 0 && v.Labels.Any() {
		asked.Labels, asked.InGroup = of.Labels(p), viewer.InGroup(p.Group)
	}
	return asked
}

// sources are asked at once, for every computation.
func (b *Builder) sources() []source {
	cfg := b.cfg.Sources
	return []source{
		{"followees", reserve.Followee, cfg.Followees, b.fromFollowees},
		{"affinity", reserve.Affine, cfg.Affinity, b.fromAffinity},
		{"groups", reserve.Grouped, cfg.Groups, b.fromGroups},
		{"trending", reserve.Trending, cfg.Trending, b.fromTrending},
	}
}

// filler is asked only where the others give too few.
func (b *Builder) filler() source {
	return source{"popular", reserve.Popular, b.cfg.Sources.Popular, b.fromPopular}
}

// fetched is what one source gave.
type fetched struct {
	source source
	posts  []hot.Post
}

func (b *Builder) askSources(ctx context.Context, c *computation) error {
	b.gather(ctx, c, b.sources())
	return nil
}

// gather asks all sources at once, each within its own deadline. One that fails or is late is left
// out and reported.
func (b *Builder) gather(ctx context.Context, c *computation, sources []source) {
	all, reports := make([]fetched, len(sources)), make([]stages.Report, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			posts, err := b.ask(ctx, c, s)
			all[i], reports[i] = fetched{source: s, posts: posts},
				stages.Report{Name: s.name, Posts: len(posts), Err: err}
		})
	}
	wg.Wait()
	for _, r := range reports {
		if r.Err != nil {
			b.metrics.SourceFailures.WithLabelValues(r.Name).Inc()
		}
	}
	c.fetched, c.reports = append(c.fetched, all...), append(c.reports, reports...)
}

func (b *Builder) ask(ctx context.Context, c *computation, s source) ([]hot.Post, error) {
	if !s.cfg.On() {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	mine := *c // sources are asked at once
	mine.filters = c.filters.Fork()
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
func (b *Builder) fromFollowees(_ context.Context, c *computation, s source) ([]hot.Post, error) {
	return b.latestOf(c, s, len(c.reserve.Authors),
		func(a reserve.Author) bool { return a.Relation&reserve.Follows != 0 }), nil
}

// fromAffinity gives the latest posts of the authors that the viewer cares for most.
func (b *Builder) fromAffinity(_ context.Context, c *computation, s source) ([]hot.Post, error) {
	var values []float64
	for _, a := range c.reserve.Authors {
		if a.Affinity() > 0 {
			values = append(values, a.Affinity())
		}
	}
	slices.Sort(values)
	least := 0.0
	if n := len(values) - b.cfg.Sources.MaxAffinity; n > 0 {
		least = values[n]
	}
	return b.latestOf(c, s, b.cfg.Sources.MaxAffinity,
		func(a reserve.Author) bool { return a.Affinity() > 0 && a.Affinity() >= least }), nil
}

// latestOf gives the latest posts of at most authors authors, the latest of all.
func (b *Builder) latestOf(c *computation, s source, authors int, which func(reserve.Author) bool) []hot.Post {
	young := b.youngest(c, s)
	set := c.hot.View()
	for _, a := range c.reserve.Authors {
		if authors == 0 || !which(a) || c.filters.RejectAuthor(a) != nil {
			continue
		}
		authors--
		young.taken = 0
		set.ByAuthor(a.ID, func(p *hot.Post) bool { return young.take(p, a) })
	}
	set.Close()
	return latest(young.posts, s.cfg.Limit)
}

// fromGroups gives the latest posts in the groups of which the viewer is a member.
func (b *Builder) fromGroups(_ context.Context, c *computation, s source) ([]hot.Post, error) {
	young := b.youngest(c, s)
	set := c.hot.View()
	for _, group := range c.reserve.Authors {
		if group.Relation&reserve.MemberOf == 0 {
			continue
		}
		young.taken = 0
		set.ByGroup(group.ID, func(p *hot.Post) bool { return young.take(p, c.reserve.Author(p.Author)) })
	}
	set.Close()
	return latest(young.posts, s.cfg.Limit), nil
}

// youngest are the posts inside the window that the viewer may see, so many of each author or group.
type youngest struct {
	c     *computation
	edge  int64
	most  int
	taken int // of this author or group
	posts []hot.Post
}

func (b *Builder) youngest(c *computation, s source) *youngest {
	return &youngest{c: c, edge: c.now.Add(-b.cfg.Window).UnixMicro(), most: s.cfg.PerAuthor}
}

// take takes a post, unless a filter rejects it, and tells whether an older one is wanted.
func (y *youngest) take(p *hot.Post, author reserve.Author) (more bool) {
	if p.Created < y.edge || y.taken == y.most {
		return false
	}
	if y.c.reject(p, author) == nil {
		y.posts = append(y.posts, *p)
		y.taken++
	}
	return true
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
func (b *Builder) fromTrending(_ context.Context, c *computation, s source) ([]hot.Post, error) {
	return listed(c, s, c.hot.Lists().Day), nil
}

// fromPopular gives what is recent and popular: the cold start.
func (b *Builder) fromPopular(_ context.Context, c *computation, s source) ([]hot.Post, error) {
	return listed(c, s, c.hot.Lists().Popular), nil
}

// listed takes from a list what the viewer may see.
func listed(c *computation, s source, list []hot.Ranked) []hot.Post {
	posts := make([]hot.Post, 0, min(s.cfg.Limit, len(list)))
	for i := range list {
		p := &list[i].Post
		if len(posts) == s.cfg.Limit {
			break
		}
		if c.reject(p, c.reserve.Author(p.Author)) == nil {
			posts = append(posts, *p)
		}
	}
	return posts
}
