package feed

import (
	"context"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/filters"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// Relations tells since when somebody is blocked or muted.
type Relations interface {
	Since(ctx context.Context, viewer core.ID, relation reserve.Relation, other core.ID) (time.Time, error)
}

// since is when what keeps a post from a user began: the block or the mute, the hide, the look. Nil where that is not
// known: an answer without it is better than none.
func (f *Feed) since(ctx context.Context, r *request, filter *filters.Filter, post, author core.ID) *time.Time {
	var at time.Time
	switch {
	case filter.Relation != 0 && f.relations != nil:
		_ = f.guards.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
			at, err = f.relations.Since(ctx, r.User, filter.Relation, author)
			return err
		})
	case filter.Name == "hidden":
		at = marks.Latest(r.state.Hidden, post)
	case filter.Name == "seen":
		at = marks.Latest(r.state.Seen, post)
	}
	if at.IsZero() {
		return nil
	}
	return &at
}
