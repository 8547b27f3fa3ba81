package replica

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ReadTombstones asks which truncates of a topic are remembered, by whichever replica.
func ReadTombstones(ctx context.Context, db *clickhouse.Client, topic string) (Tombstones, error) {
	var (
		found       Tombstones
		system, lsn proto.ColUInt64
		at          proto.ColDateTime64
	)
	err := db.Read(ctx, clickhouse.Query{Name: "cdc_truncates", Query: ch.Query{
		Body: sql.ClickHouse("cdc_truncates"), Parameters: clickhouse.Params(map[string]any{"topic": topic}),
		Result: proto.Results{
			{Name: "source_id", Data: &system},
			{Name: "last_lsn", Data: &lsn},
			{Name: "last_at", Data: &at},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range system.Rows() {
				found = append(found, envelope.SourcePosition{
					Log: system.Row(i), LSN: lsn.Row(i),
					CommittedAt: at.Row(i).UTC(),
				})
			}
			return nil
		},
	}})
	return found, err
}

// ApplyTruncate keeps its tombstone first, so that whoever writes an older row of the table from
// now on finds it; then it deletes what is there already.
func ApplyTruncate(
	ctx context.Context, db *clickhouse.Client, topic string, sources []*mapping.Source,
	t envelope.SourcePosition, now time.Time,
) error {
	if err := insertTombstone(ctx, db, topic, t, now); err != nil {
		return err
	}
	for _, s := range sources {
		for _, of := range deletions(s.Kind) {
			err := db.Write(ctx, clickhouse.Query{Name: of.query(), Query: ch.Query{
				Body: sql.ClickHouse(of.query()), Parameters: clickhouse.Params(map[string]any{
					"source_id": t.Log, "lsn": t.LSN, "at_ms": t.CommittedAt.UnixMilli(),
					"table": clickhouse.Identifier(of.table), "kinds": of.kinds,
				}),
			}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// deletions are where the rows of a kind stand, with what is derived from them first: a row may be gone from its copy,
// or another one be under its key, and what was derived of it still stand.
func deletions(k mapping.Kind) (all []deletion) {
	if k.HasEdges() {
		all = append(all, deletion{table: "viewer_edges", kinds: edgeKinds(k)})
	}
	own := []string{k.String()}
	if k.Counted() {
		all = append(all, deletion{table: "reactions_by_hour", kinds: own},
			deletion{table: "reactions_by_user", kinds: own})
	}
	table := k.Layout().Copy
	if k == mapping.Block || k == mapping.Mute { // they share a table
		return append(all, deletion{table: table, kinds: own})
	}
	return append(all, deletion{table: table})
}

// deletion is a table, and the kinds of its rows that are deleted; none: all of them are.
type deletion struct {
	table string
	kinds []string
}

// query is the statement's name.
func (d deletion) query() string {
	if len(d.kinds) == 0 {
		return "cdc_delete_truncated"
	}
	return "cdc_delete_truncated_kinds"
}

func insertTombstone(
	ctx context.Context, db *clickhouse.Client, topic string, t envelope.SourcePosition, now time.Time,
) error {
	var (
		name        proto.ColStr
		system, lsn proto.ColUInt64
		at          = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
		seen        = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
	)
	name.Append(topic)
	system.Append(t.Log)
	lsn.Append(t.LSN)
	at.Append(StoredTime(t.CommittedAt))
	seen.Append(now)
	in := proto.Input{
		{Name: "topic", Data: &name},
		{Name: "source_id", Data: &system},
		{Name: "lsn", Data: &lsn},
		{Name: "committed_at", Data: at},
		{Name: "seen_at", Data: seen},
	}
	return db.Write(ctx, clickhouse.Query{
		Name:  "cdc_truncate",
		Query: ch.Query{Body: in.Into("cdc_truncates"), Input: in},
	})
}
