package cdc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// stored is a row of our copy with its place in the order of the log.
type stored struct {
	mapping.Row
	Counted time.Time // from when on a like or a comment counts: what is dated ahead, from when it arrived
	Version uint64
	Origin  origin
}

// copyKey is the key of a row in our copy, as text.
func copyKey(k mapping.Kind, row mapping.Row) string {
	if k.Layout().ByID {
		return strconv.FormatInt(row.ID, 10)
	}
	return row.Key
}

// idOfKey reads the key of a kind that is kept by its id.
func idOfKey(key string) int64 {
	id, _ := strconv.ParseInt(key, 10, 64)
	return id
}

// lookupBlock bounds the keys of one query, whose text has a limit.
const lookupBlock = 4000

// lookup reads what ClickHouse has of these keys, deleted rows included.
func lookup(ctx context.Context, db *clickhouse.Client, k mapping.Kind, keys []string) (map[string]stored, error) {
	found := make(map[string]stored, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), lookupBlock)
		if err := lookupSome(ctx, db, k, keys[:n], found); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return found, nil
}

func lookupSome(ctx context.Context, db *clickhouse.Client, k mapping.Kind, keys []string, found map[string]stored) error {
	var (
		key                  proto.ColStr
		first, other         proto.ColInt64
		hidden               proto.ColBool
		version, lsn, system proto.ColUInt64
		deleted              proto.ColUInt8
		created, committed   proto.ColDateTime64
		counted              proto.ColDateTime64
		name                 = "cdc_stored_" + plural(k)
		columns              proto.Results
	)
	columns = proto.Results{
		{Name: "row_key", Data: &key},
		{Name: "first", Data: &first},
		{Name: "other", Data: &other},
		{Name: "hidden", Data: &hidden},
		{Name: "created_at", Data: &created},
		{Name: "counted_at", Data: &counted},
		{Name: "version", Data: &version},
		{Name: "is_deleted", Data: &deleted},
		{Name: "lsn", Data: &lsn},
		{Name: "source_id", Data: &system},
		{Name: "committed_at", Data: &committed},
	}
	return db.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: []clickhouse.Parameter{keyParam(keys, k.Layout().ByID)},
		Result:     columns,
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				row := mapping.Row{
					Key: key.Row(i), First: first.Row(i), Other: other.Row(i), Hidden: hidden.Row(i),
					CreatedAt: created.Row(i).UTC(), Gone: deleted.Row(i) != 0,
				}
				if k.Layout().ByID {
					row.ID = idOfKey(row.Key)
				}
				found[row.Key] = stored{Row: row, Counted: counted.Row(i).UTC(), Version: version.Row(i), Origin: origin{
					LSN: lsn.Row(i), System: system.Row(i), CommittedAt: committed.Row(i).UTC(),
				}}
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
