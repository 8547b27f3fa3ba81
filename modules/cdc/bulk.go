package cdc

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Bulk writes rows straight into the copies: what PostgreSQL has before the log begins. Their versions
// are of epoch 0, below those of every record, so whatever the log says of them later wins.
type Bulk struct {
	client *clickhouse.Client
	at     origin
	next   int64
}

// NewBulk begins; all rows count as written by now.
func NewBulk(ctx context.Context, pool *pgxpool.Pool, client *clickhouse.Client) (*Bulk, error) {
	b := &Bulk{client: client, next: 1}
	err := pool.QueryRow(ctx, sql.Postgres("cdc_position")).Scan(&b.at.LSN, &b.at.System, &b.at.CommittedAt)
	return b, err
}

// Write brings rows of a kind, and the edges that they give viewers.
func (b *Bulk) Write(ctx context.Context, k mapping.Kind, rows []mapping.Row) error {
	all := make([]stored, len(rows))
	var edges []edgeState
	for i, row := range rows {
		version, err := versionOf(0, b.next)
		if err != nil {
			return err
		}
		b.next++
		all[i] = stored{Row: row, Version: version, Origin: b.at}
		for _, e := range edgesOf(k, row) {
			edges = append(edges, edgeState{edge: e, createdAt: row.CreatedAt, version: version, origin: b.at})
		}
	}
	if len(edges) > 0 {
		in := edgeBlock(edges)
		if err := b.client.Write(ctx, clickhouse.Query{Name: "cdc_bulk_edges", Query: ch.Query{Body: in.Into("viewer_edges"), Input: in}}); err != nil {
			return err
		}
	}
	in := rowBlock(k, all)
	return b.client.Write(ctx, clickhouse.Query{Name: "cdc_bulk", Query: ch.Query{Body: in.Into(k.Layout().Copy), Input: in}})
}
