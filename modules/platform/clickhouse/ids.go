package clickhouse

import (
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
)

// IDs reads a query whose one column is ids.
func (c *Client) IDs(ctx context.Context, column string, q Query) ([]core.ID, error) {
	var (
		ids proto.ColInt64
		all []core.ID
	)
	q.Result = proto.Results{{Name: column, Data: &ids}}
	q.OnResult = func(context.Context, proto.Block) error {
		for i := range ids.Rows() {
			all = append(all, core.ID(ids.Row(i)))
		}
		return nil
	}
	err := c.Read(ctx, q)
	return all, err
}
