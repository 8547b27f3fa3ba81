package replica

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Write inserts edges before the rows of a kind that they come from: a row that is there says that its edges are.
// wrote is told of each table that was written, and with how many rows.
func Write(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, rows []Row, edges []Edge,
	wrote func(table string, rows int),
) error {
	if len(edges) > 0 {
		if err := insert(ctx, db, "viewer_edges", edgeBlock(edges)); err != nil {
			return err
		}
		wrote("viewer_edges", len(edges))
	}
	if len(rows) == 0 {
		return nil
	}
	if err := insert(ctx, db, k.Layout().Copy, rowBlock(k, rows)); err != nil {
		return err
	}
	wrote(k.Layout().Copy, len(rows))
	return nil
}

func insert(ctx context.Context, db *clickhouse.Client, table string, in proto.Input) error {
	return db.Write(ctx, clickhouse.Query{
		Name:  "cdc_insert_" + table,
		Query: ch.Query{Body: in.Into(table), Input: in},
	})
}
