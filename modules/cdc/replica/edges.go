package replica

import (
	"context"
	"maps"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Edge is an edge of viewer_edges with its place in the order of the log.
type Edge struct {
	mapping.Edge
	CreatedAt time.Time
	Until     time.Time // zero: it does not end by itself
	Version   Version
	Gone      bool
	Position  envelope.SourcePosition // where its row was written
}

// ScanEdges reads the edges that came from rows of a kind within bounds.
func ScanEdges(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, bounds map[string]any, each func(e mapping.Edge),
) error {
	return readEdges(ctx, db, k, "cdc_scan_edges", maps.Clone(bounds), each)
}

// LookupEdges reads the edges that came from the rows of a kind with these keys.
func LookupEdges(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, keys []string, each func(e mapping.Edge),
) error {
	return readEdges(ctx, db, k, "cdc_stored_edges", map[string]any{"keys": keys}, each)
}

func edgeKinds(k mapping.Kind) (names []string) {
	for _, kind := range k.EdgeKinds() {
		names = append(names, string(kind))
	}
	return names
}

func readEdges(
	ctx context.Context, db *clickhouse.Client, k mapping.Kind, query string, parameters map[string]any,
	each func(e mapping.Edge),
) error {
	if !k.HasEdges() {
		return nil
	}
	var (
		key, kind     proto.ColStr
		viewer, other proto.ColInt64
	)
	parameters["kinds"] = edgeKinds(k)
	// not Read: a part that was seen must not come twice
	return db.Write(ctx, clickhouse.Query{Name: query, Query: ch.Query{
		Body:       sql.ClickHouse(query),
		Parameters: clickhouse.Params(parameters),
		Result: proto.Results{
			{Name: "row_key", Data: &key},
			{Name: "viewer_id", Data: &viewer},
			{Name: "kind", Data: &kind},
			{Name: "other_id", Data: &other},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				each(mapping.Edge{
					Viewer: viewer.Row(i), Kind: mapping.EdgeKind(kind.Row(i)), Other: other.Row(i), Key: key.Row(i),
				})
			}
			return nil
		},
	}})
}
