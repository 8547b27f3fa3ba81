package cdc

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// readTruncates asks which truncates of a topic are remembered, by whichever replica.
func readTruncates(ctx context.Context, db *clickhouse.Client, topic string) (truncates, error) {
	var (
		found       truncates
		system, lsn proto.ColUInt64
		at          proto.ColDateTime64
	)
	err := db.Read(ctx, clickhouse.Query{Name: "cdc_truncates", Query: ch.Query{
		Body: sql.ClickHouse("cdc_truncates"), Parameters: clickhouse.Params(map[string]any{"topic": topic}),
		Result: proto.Results{{Name: "source_id", Data: &system}, {Name: "last_lsn", Data: &lsn}, {Name: "last_at", Data: &at}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range system.Rows() {
				found = append(found, origin{System: system.Row(i), LSN: lsn.Row(i), CommittedAt: at.Row(i).UTC()})
			}
			return nil
		},
	}})
	return found, err
}

// bury applies a truncate: remembered first, so that whoever writes an older row of the table from
// now on finds it; then what is there already dies.
func bury(ctx context.Context, db *clickhouse.Client, topic string, sources []*mapping.Source, t origin, now time.Time) error {
	if err := remember(ctx, db, topic, t, now); err != nil {
		return err
	}
	for _, s := range sources {
		for _, of := range sweeps(s.Kind) {
			err := db.Write(ctx, clickhouse.Query{Name: of.query(), Query: ch.Query{
				Body: sql.ClickHouse(of.query()), Parameters: clickhouse.Params(map[string]any{
					"source_id": t.System, "lsn": t.LSN, "at_ms": t.CommittedAt.UnixMilli(),
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

// sweeps are where the rows of a kind stand, with what is derived from them first: a row may be gone from its copy,
// or another one be under its key, and what was derived of it still stand.
func sweeps(k mapping.Kind) (all []sweep) {
	if k.HasEdges() {
		all = append(all, sweep{table: "viewer_edges", kinds: edgeKinds(k)})
	}
	own := []string{k.String()}
	if k.Counted() {
		all = append(all, sweep{table: "reactions_by_hour", kinds: own}, sweep{table: "reactions_by_user", kinds: own})
	}
	table := k.Layout().Copy
	if k == mapping.Block || k == mapping.Mute { // they share a table
		return append(all, sweep{table: table, kinds: own})
	}
	return append(all, sweep{table: table})
}

// sweep is a table, and the kinds of its rows that die, none: all of them do.
type sweep struct {
	table string
	kinds []string
}

// query is the statement's name.
func (s sweep) query() string {
	if len(s.kinds) == 0 {
		return "cdc_sweep"
	}
	return "cdc_sweep_kinds"
}

func remember(ctx context.Context, db *clickhouse.Client, topic string, t origin, now time.Time) error {
	var (
		name        proto.ColStr
		system, lsn proto.ColUInt64
		at          = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
		seen        = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)
	)
	name.Append(topic)
	system.Append(t.System)
	lsn.Append(t.LSN)
	at.Append(orEpoch(t.CommittedAt))
	seen.Append(now)
	in := proto.Input{
		{Name: "topic", Data: &name},
		{Name: "source_id", Data: &system},
		{Name: "lsn", Data: &lsn},
		{Name: "committed_at", Data: at},
		{Name: "seen_at", Data: seen},
	}
	return db.Write(ctx, clickhouse.Query{Name: "cdc_truncate", Query: ch.Query{Body: in.Into("cdc_truncates"), Input: in}})
}
