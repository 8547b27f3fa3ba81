package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/store"
)

// hideWithin bounds what an event's answer waits for Redis.
const hideWithin = 100 * time.Millisecond

// Hide keeps posts out of a user's feeds from now on. The consumer does it again when it has the events,
// and pushes their authors down; while ClickHouse is away, that is later than anybody would wait.
func (f *Feed) Hide(ctx context.Context, user core.ID, posts []core.ID, at time.Time) {
	ctx, cancel := context.WithTimeout(ctx, hideWithin)
	defer cancel()
	marks := make([]store.Mark, len(posts))
	for i, post := range posts {
		marks[i] = store.Mark{User: user, Post: post, At: at}
	}
	err := f.guards.Redis.Do(ctx, func(ctx context.Context) error { return f.store.MarkHidden(ctx, marks) })
	if err != nil {
		f.metrics.cache.WithLabelValues("hide_failed").Inc() // the consumer's turn
	}
}
