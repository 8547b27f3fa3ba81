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

// maxWaiting is how far new posts are counted: more is "more".
const maxWaiting = 99

// waiting counts the posts of followees that were made after a time and that the viewer may see: the
// "new posts" pill. It computes no page; a viewer of whom nothing is cached is hydrated first.
func (f *Feed) waiting(ctx context.Context, r *request, since time.Time) (count int, more bool, err error) {
	f.recall(ctx, r)
	if err := f.provide(ctx, r); err != nil {
		return 0, false, err
	}
	after := since.UnixMicro()
	set := r.hot.View()
	defer set.Close()
	for _, a := range r.reserve.Authors {
		if a.Relation&reserve.Follows == 0 || r.viewer.RejectAuthor(a) != nil {
			continue
		}
		set.ByAuthor(a.ID, func(p *hot.Post) bool {
			if p.Created <= after || count > maxWaiting {
				return false
			}
			if !r.rejects(filters.Ranked, p.ID, a) {
				count++
			}
			return true
		})
	}
	return min(count, maxWaiting), count > maxWaiting, nil
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

func appendWaiting(b []byte, count int, more bool) []byte {
	b = append(b, `{"new_posts":`...)
	b = strconv.AppendInt(b, int64(count), 10)
	b = append(b, `,"more":`...)
	b = strconv.AppendBool(b, more)
	return append(b, '}')
}
