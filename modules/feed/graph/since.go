package graph

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Since is when one who stands in a relation to the viewer that keeps posts from them began to; zero where that is not
// known.
func (c *ClickHouse) Since(ctx context.Context, viewer core.ID, relation reserve.Relation, other core.ID) (time.Time,
	error,
) {
	kind, ok := map[reserve.Relation]int8{
		reserve.Blocks: kindBlock, reserve.BlockedBy: kindBlockedBy, reserve.Mutes: kindMute,
	}[relation]
	if !ok {
		return time.Time{}, nil
	}
	var since proto.ColInt64
	err := c.client.Read(ctx, clickhouse.Query{Name: "feed_edge_since", Query: ch.Query{
		Body: sql.ClickHouse("feed_edge_since"),
		Parameters: clickhouse.Params(map[string]any{
			"viewer": int64(viewer), "kind": kind, "other": int64(other),
		}),
		Settings: clickhouse.OneThread,
		Result:   proto.Results{{Name: "since", Data: &since}},
	}})
	if err != nil || since.Rows() == 0 || since.Row(0) == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(since.Row(0)).UTC(), nil
}
