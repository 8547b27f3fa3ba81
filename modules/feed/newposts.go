package feed

import (
	"context"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/hot"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// maxNewPosts is how far new posts are counted: more is "more".
const maxNewPosts = 99

// countNewPosts counts the posts of followees that were made after a time and that the viewer may see: the
// "new posts" pill. It computes no page; a viewer of whom nothing is cached is hydrated first.
func (f *Feed) countNewPosts(_ context.Context, r *request) error {
	after, count := r.Since.UnixMicro(), 0
	set := r.hot.View()
	defer set.Close()
	for _, a := range r.reserve.Authors {
		if a.Relation&reserve.Follows == 0 || r.viewer.RejectAuthor(a) != nil {
			continue
		}
		set.ByAuthor(a.ID, func(p *hot.Post) bool {
			if p.Created <= after || count > maxNewPosts {
				return false
			}
			if !r.rejects(filters.Ranked, p.ID, a) {
				count++
			}
			return true
		})
	}
	r.newPosts = count
	return nil
}

// parseSince reads a time that a client was given. What is older than the hot set counts as its edge.
func (f *Feed) parseSince(text string) (time.Time, error) {
	at, err := httpserver.ParseTime(text)
	if err != nil {
		return time.Time{}, core.InvalidField("since", "%s", err)
	}
	if at.After(f.clock.Now().Add(time.Minute)) {
		return time.Time{}, core.InvalidField("since", "is in the future")
	}
	return at, nil
}

func appendNewPosts(b []byte, count int) []byte {
	b = append(b, `{"new_posts":`...)
	b = strconv.AppendInt(b, int64(min(count, maxNewPosts)), 10)
	b = append(b, `,"more":`...)
	b = strconv.AppendBool(b, count > maxNewPosts)
	return append(b, '}')
}
