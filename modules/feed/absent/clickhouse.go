package absent

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse reads the copy of the app's users.
func ClickHouse(client *clickhouse.Client) Source {
	return func(ctx context.Context, limit int) ([]core.ID, error) {
		var (
			ids    proto.ColInt64
			people []core.ID
		)
		err := client.Read(ctx, clickhouse.Query{Name: "feed_absent", Query: ch.Query{
			Body: sql.ClickHouse("feed_absent"), Parameters: clickhouse.Params(map[string]any{"limit": limit}),
			Settings: clickhouse.Job, Result: proto.Results{{Name: "id", Data: &ids}},
			OnResult: func(context.Context, proto.Block) error {
				for i := range ids.Rows() {
					people = append(people, core.ID(ids.Row(i)))
				}
				return nil
			},
		}})
		return people, err
	}
}
