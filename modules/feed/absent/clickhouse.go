package absent

import (
	"context"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse reads the copy of the app's users.
func ClickHouse(client *clickhouse.Client) Source {
	return func(ctx context.Context, limit int) ([]core.ID, error) {
		return client.IDs(ctx, "id", clickhouse.Query{Name: "feed_absent", Query: ch.Query{
			Body: sql.ClickHouse("feed_absent"), Parameters: clickhouse.Params(map[string]any{"limit": limit}),
			Settings: clickhouse.Job,
		}})
	}
}
