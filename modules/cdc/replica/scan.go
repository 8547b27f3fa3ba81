package replica

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ScanRows reads the rows of a kind that ClickHouse has within bounds.
func ScanRows(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, bounds map[string]any,
	each func(key string, row mapping.Row),
) error {
	var (
		key          proto.ColStr
		first, other proto.ColInt64
		hidden       proto.ColBool
		noDiscovery  proto.ColBool
		audience     proto.ColUInt8
		created      proto.ColDateTime64
		name         = "cdc_scan_" + plural(k)
	)
	columns := proto.Results{
		{Name: "row_key", Data: &key},
		{Name: "first", Data: &first},
		{Name: "other", Data: &other},
		{Name: "hidden", Data: &hidden},
		{Name: "audience", Data: &audience},
		{Name: "created_at", Data: &created},
	}
	if k == mapping.User {
		columns = append(columns, proto.ResultColumn{Name: "no_discovery", Data: &noDiscovery})
	}
	// not Read: a part that was seen must not come twice
	return db.Write(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(bounds),
		Result: columns,
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				each(key.Row(i), mapping.Row{
					First: first.Row(i), Other: other.Row(i), Hidden: hidden.Row(i), CreatedAt: created.Row(i).UTC(),
					Audience:    core.Audience(audience.Row(i)),
					NoDiscovery: k == mapping.User && noDiscovery.Row(i),
				})
			}
			return nil
		},
	}})
}
