package replica

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ScanRows reads the rows of a kind that ClickHouse has within bounds.
func ScanRows(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, bounds map[string]any,
	each func(key string, row mapping.Row),
) error {
	stored, name := columns{kind: k}, "cdc_scan_"+plural(k)
	// not Read: a part that was seen must not come twice
	return db.Write(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(bounds),
		Result: stored.results(),
		OnResult: func(context.Context, proto.Block) error {
			for i := range stored.key.Rows() {
				var row mapping.Row
				stored.into(&row, i)
				each(stored.key.Row(i), row)
			}
			return nil
		},
	}})
}
