package replica

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Row is a row of our copy with its place in the order of the log.
type Row struct {
	mapping.Row
	Counted  time.Time // from when on a like or a comment counts: what is dated ahead, from when it arrived
	Version  Version
	Position envelope.SourcePosition // where it was written
}

// CountedAt is from when on the row counts.
func (r Row) CountedAt() time.Time {
	if r.Counted.IsZero() {
		return r.CreatedAt
	}
	return r.Counted
}

// lookupBlock bounds the keys of one query, whose text has a limit.
const lookupBlock = 4000

// Lookup reads what ClickHouse has of these keys, deleted rows included.
func Lookup(ctx context.Context, db *clickhouse.Client, k mapping.Kind, keys []string) (map[string]Row, error) {
	found := make(map[string]Row, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), lookupBlock)
		if err := lookupSome(ctx, db, k, keys[:n], found); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return found, nil
}

func lookupSome(ctx context.Context, db *clickhouse.Client, k mapping.Kind, keys []string, found map[string]Row) error {
	var (
		stored               = columns{kind: k}
		version, lsn, system proto.ColUInt64
		deleted              proto.ColUInt8
		counted, committed   proto.ColDateTime64
		name                 = "cdc_stored_" + plural(k)
	)
	return db.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: []clickhouse.Parameter{keyParam(keys, k.Layout().ByID)},
		Result: stored.results(
			proto.ResultColumn{Name: "counted_at", Data: &counted},
			proto.ResultColumn{Name: "version", Data: &version},
			proto.ResultColumn{Name: "is_deleted", Data: &deleted},
			proto.ResultColumn{Name: "lsn", Data: &lsn},
			proto.ResultColumn{Name: "source_id", Data: &system},
			proto.ResultColumn{Name: "committed_at", Data: &committed},
		),
		OnResult: func(context.Context, proto.Block) error {
			for i := range stored.key.Rows() {
				row := k.KeyedRow(stored.key.Row(i))
				stored.into(&row, i)
				row.Gone = deleted.Row(i) != 0
				found[row.Key] = Row{
					Row: row, Counted: counted.Row(i).UTC(), Version: Version(version.Row(i)),
					Position: envelope.SourcePosition{
						LSN: lsn.Row(i), Log: system.Row(i),
						CommittedAt: committed.Row(i).UTC(),
					},
				}
			}
			return nil
		},
	}})
}

// plural names the lookups of a kind in sql/clickhouse/queries.
func plural(k mapping.Kind) string { return k.String() + "s" }

// keyParam are keys as a query's parameter: of numbers where the table's key is one.
func keyParam(keys []string, numbers bool) clickhouse.Parameter {
	if numbers {
		return clickhouse.Param("keys", clickhouse.Literal("["+strings.Join(keys, ",")+"]"))
	}
	return clickhouse.Param("keys", keys)
}

// HasRows tells whether the copy of a kind has a row, deleted or not.
func HasRows(ctx context.Context, db *clickhouse.Client, k mapping.Kind) (bool, error) {
	var n proto.ColUInt64
	err := db.Read(ctx, clickhouse.Query{Name: "cdc_rows", Query: ch.Query{
		Body:       sql.ClickHouse("cdc_rows"),
		Parameters: clickhouse.Params(map[string]any{"copy": clickhouse.Identifier(k.Layout().Copy)}),
		Result:     proto.Results{{Name: "n", Data: &n}},
	}})
	if err != nil {
		return false, fmt.Errorf("rows of %s: %w", k.Layout().Copy, err)
	}
	return n.Rows() != 1 || n.Row(0) != 0, nil
}

// SameRow tells whether two rows say the same. Of rows that are gone nothing else matters.
func SameRow(a, b mapping.Row) bool {
	if a.Gone || b.Gone {
		return a.Gone == b.Gone
	}
	return a.First == b.First && a.Other == b.Other && a.Hidden == b.Hidden && a.Audience == b.Audience &&
		a.NoDiscovery == b.NoDiscovery && a.Value == b.Value && a.Labels == b.Labels &&
		StoredTime(a.CreatedAt).Equal(StoredTime(b.CreatedAt))
}
