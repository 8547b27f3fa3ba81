package ledger

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Unresolved tells which posts events of the partition were ahead of since a day, with the offset of the first event;
// those that have a record by now too.
func (l *Partition) Unresolved(ctx context.Context, since int32, limit int64,
	each func(post core.ID, first int64),
) error {
	var post, first proto.ColInt64
	return l.read(ctx, "unresolved", ch.Query{
		Parameters: l.params(clickhouse.Param("since", dateText(since)), clickhouse.Param("limit", limit)),
		Result:     proto.Results{{Name: "post_id", Data: &post}, {Name: "first", Data: &first}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range post {
				each(core.ID(post[i]), first[i])
			}
			return nil
		},
	})
}
