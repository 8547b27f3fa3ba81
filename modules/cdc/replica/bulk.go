package replica

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Bulk writes rows straight into the copies: what PostgreSQL has before the log begins. Their versions
// are of epoch 0, below those of every record, so whatever the log says of them later wins.
type Bulk struct {
	client *clickhouse.Client
	at     envelope.SourcePosition
	next   int64
}

// NewBulk begins; all rows count as written by now.
func NewBulk(ctx context.Context, pool *pgxpool.Pool, client *clickhouse.Client) (*Bulk, error) {
	at, err := envelope.ScanPosition(pool.QueryRow(ctx, sql.Postgres("cdc_position")))
	return &Bulk{client: client, at: at, next: 1}, err
}

// Write brings rows of a kind, and the edges that they give viewers.
func (b *Bulk) Write(ctx context.Context, k mapping.Kind, rows []mapping.Row) error {
	all := make([]Row, len(rows))
	var edges []Edge
	for i, row := range rows {
		version, err := VersionOf(0, b.next)
		if err != nil {
			return err
		}
		b.next++
		all[i] = Row{Row: row, Version: version, Position: b.at}
		for _, e := range k.Edges(row) {
			edges = append(edges, Edge{
				Edge: e, CreatedAt: row.CreatedAt, Until: row.Until, Version: version, Position: b.at,
			})
		}
	}
	return Write(ctx, b.client, k, all, edges, func(string, int) {})
}
