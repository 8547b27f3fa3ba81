package ledger

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// Running are the statements that write this partition now, by id, with their age.
func (l *Partition) Running(ctx context.Context) (map[string]time.Duration, error) {
	var id proto.ColStr
	var elapsed proto.ColFloat64
	running := map[string]time.Duration{}
	err := l.read(ctx, "running", ch.Query{
		Parameters: []clickhouse.Parameter{
			clickhouse.Param("prefix", tagPrefix(l.client.Database())),
			clickhouse.Param("mark", l.commentTag()),
		},
		Result: proto.Results{{Name: "query_id", Data: &id}, {Name: "elapsed", Data: &elapsed}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range id.Rows() {
				running[id.Row(i)] = time.Duration(elapsed.Row(i) * float64(time.Second))
			}
			return nil
		},
	})
	return running, err
}

// Kill ends a statement.
func (l *Partition) Kill(ctx context.Context, id string) error {
	var ignored proto.Results
	return l.read(ctx, "kill", ch.Query{
		Parameters: []clickhouse.Parameter{clickhouse.Param("id", id)},
		Result:     ignored.Auto(),
	})
}
