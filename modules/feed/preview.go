package feed

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/page"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Preview answers as Page does, for somebody else than the user: it is in no statistics.
func (f *Feed) Preview(ctx context.Context, q Query, write func(*page.Page) error) error {
	return f.serve(ctx, f.ways.preview, q, write)
}

// Trends answers with the trending posts of a window before it is anybody's list, as Page does.
func (f *Feed) Trends(ctx context.Context, q Query, write func(*page.Page) error) error {
	return f.serve(ctx, f.ways.trends, q, write)
}

// ofNobody knows nothing of a viewer.
func (f *Feed) ofNobody(_ context.Context, r *request) error {
	f.use(r, &reserve.Reserve{BuiltAt: r.Now}, page.FromTrending)
	return nil
}

// Filtered is what one filter keeps from a user, of the recent posts of people whom they are anything to, and of what
// trends.
type Filtered struct {
	Filter string         `json:"filter"` // the rule of why-not
	Count  int            `json:"count"`
	Posts  []FilteredPost `json:"posts"` // the latest of them
}

// FilteredPost is a post that was left out.
type FilteredPost struct {
	Post      core.ID   `json:"post"`
	Author    core.ID   `json:"author"`
	CreatedAt time.Time `json:"created_at"`
}

// maxFiltered bounds the posts that are named of each filter.
const maxFiltered = 20

// Filtered asks the filters about every post that the sources would look at. It has no side effects.
func (f *Feed) Filtered(ctx context.Context, user core.ID) ([]Filtered, error) {
	r := f.take(Query{User: user, Order: cursor.Ranked, Limit: DefaultLimit})
	defer f.give(r)
	if _, err := f.tryOut(ctx, r); err != nil {
		return nil, err
	}
	asked, by := map[core.ID]bool{}, map[*filters.Filter][]FilteredPost{}
	ask := func(post *hot.Post, author reserve.Author) {
		if asked[post.ID] {
			return
		}
		asked[post.ID] = true
		if filter := r.rejectedBy(filters.Ranked, post, author); filter != nil {
			by[filter] = append(by[filter], FilteredPost{post.ID, post.Author, time.UnixMicro(post.Created).UTC()})
		}
	}
	trending := r.hot.Lists().Day
	edge := r.Now.Add(-f.cfg.Hot.Window).UnixMicro()
	set := r.hot.View()
	young := func(post *hot.Post) bool {
		if post.Created >= edge {
			ask(post, r.reserve.Author(post.Author))
		}
		return post.Created >= edge
	}
	for _, author := range append(slices.Clone(r.reserve.Authors), reserve.Author{ID: user}) {
		set.ByAuthor(author.ID, young)
		if f.inGroup(r.reserve, author.ID) {
			set.ByGroup(author.ID, young)
		}
	}
	set.Close()
	for i := range trending {
		ask(&trending[i].Post, r.reserve.Author(trending[i].Post.Author))
	}
	return byFilter(by), nil
}

// byFilter has the filter that left out most first, and of each the latest posts.
func byFilter(by map[*filters.Filter][]FilteredPost) []Filtered {
	all := make([]Filtered, 0, len(by))
	for filter, posts := range by {
		slices.SortFunc(posts, func(a, b FilteredPost) int { return b.CreatedAt.Compare(a.CreatedAt) })
		all = append(all, Filtered{filter.Name, len(posts), posts[:min(maxFiltered, len(posts))]})
	}
	slices.SortFunc(all, func(a, b Filtered) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Filter, b.Filter))
	})
	return all
}
