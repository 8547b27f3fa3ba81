package feed

import (
	"context"

	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// MaxNewPosts is how far new posts are counted: more is "more".
const MaxNewPosts = 99

// countNewPosts counts the posts of followees that were made after a time and that the viewer may see: the
// "new posts" pill. It computes no page; a viewer of whom nothing is cached is hydrated first.
func countNewPosts(_ context.Context, r *request) error {
	after, count := r.Since.UnixMicro(), 0
	set := r.hot.View()
	defer set.Close()
	for _, a := range r.reserve.Authors {
		if a.Relation&reserve.Follows == 0 || r.viewer.RejectAuthor(a) != nil {
			continue
		}
		set.ByAuthor(a.ID, func(p *hot.Post) bool {
			if p.Created <= after || count > MaxNewPosts {
				return false
			}
			if !r.rejects(filters.Ranked, p, a) {
				count++
			}
			return true
		})
	}
	r.NewPosts = count
	return nil
}
