package graph

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// maxEngaged bounds the posts of one user that they did something with.
const maxEngaged = 200

// Engaged are the posts that a user liked, commented on or shared since a time, and did not take back; the latest come
// first.
func (c *ClickHouse) Engaged(ctx context.Context, user core.ID, since time.Time) ([]core.ID, error) {
	name, params := c.from.Query("feed_viewer_engaged", map[string]any{
		"user": int64(user), "since": since.UnixMilli(), "limit": maxEngaged,
	})
	return c.client.IDs(ctx, "post_id", clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params), Settings: clickhouse.OneThread,
	}})
}
