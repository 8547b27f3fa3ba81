package absent

import (
	"context"

	"github.com/ClickHouse/ch-go"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse reads the copy of the app's users.
func ClickHouse(client *clickhouse.Client) Source { return people(client, "feed_absent") }

// ClickHousePrivate reads there whose account is private.
func ClickHousePrivate(client *clickhouse.Client) Source { return people(client, "feed_private") }

// ClickHouseOptedOut reads there who is not to be recommended.
func ClickHouseOptedOut(client *clickhouse.Client) Source { return people(client, "feed_opted_out") }

func people(client *clickhouse.Client, name string) Source {
	return func(ctx context.Context, limit int) ([]core.ID, error) {
		return client.IDs(ctx, "id", clickhouse.Query{Name: name, Query: ch.Query{
			Body: sql.ClickHouse(name), Parameters: clickhouse.Params(map[string]any{"limit": limit}),
			Settings: clickhouse.Job,
		}})
	}
}
