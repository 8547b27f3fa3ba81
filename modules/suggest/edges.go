package suggest

import (
	"cmp"
	"context"
	"slices"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// kindFollow is the code of a follow in viewer_edges; kinds is how many there are.
const (
	kindFollow = 1
	kinds      = 4
)

// Edges implements Source. Most viewers have few rows, which are read as they lie and put together here, as
// for a feed: ClickHouse takes longer to plan how to do that than to read them.
func (c *ClickHouse) Edges(ctx context.Context, viewer core.ID, among []core.ID) ([]Edge, error) {
	if len(among) > 0 {
		return c.wholeEdges(ctx, viewer, among, kinds*len(among)) // all there can be
	}
	rows, err := c.edgeRows(ctx, viewer)
	if err != nil {
		return nil, err
	}
	if len(rows) > c.cfg.MaxEdges {
		return c.wholeEdges(ctx, viewer, nil, c.cfg.MaxEdges)
	}
	return edgesOf(rows), nil
}

// edgeRow is one row of the copy: a state of a row of the app.
type edgeRow struct {
	kind    uint8
	other   core.ID
	rowKey  string
	since   int64
	version uint64
	deleted bool
}

// edgesOf are the edges that stand, the newest follows first.
func edgesOf(rows []edgeRow) []Edge {
	slices.SortFunc(rows, func(a, b edgeRow) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.other, b.other), cmp.Compare(a.rowKey, b.rowKey),
			cmp.Compare(b.version, a.version))
	})
	stand, last := rows[:0], edgeRow{}
	for _, r := range rows {
		newest := r.kind != last.kind || r.other != last.other || r.rowKey != last.rowKey
		if last = r; !newest || r.deleted {
			continue
		}
		// another row of the app says the same
		if n := len(stand); n > 0 && stand[n-1].kind == r.kind && stand[n-1].other == r.other {
			stand[n-1].since = max(stand[n-1].since, r.since)
			continue
		}
		stand = append(stand, r)
	}
	slices.SortFunc(stand, func(a, b edgeRow) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(b.since, a.since), cmp.Compare(a.other, b.other))
	})
	edges := make([]Edge, len(stand))
	for i, r := range stand {
		edges[i] = Edge{Other: r.other, Follows: r.kind == kindFollow}
	}
	return edges
}

func (c *ClickHouse) edgeRows(ctx context.Context, viewer core.ID) ([]edgeRow, error) {
	var (
		kind, deleted proto.ColUInt8
		other, since  proto.ColInt64
		rowKey        proto.ColStr
		version       proto.ColUInt64
		rows          []edgeRow
	)
	return rows, c.client.Read(ctx, clickhouse.Query{Name: "suggest_edge_rows", Query: ch.Query{
		Body:       sql.ClickHouse("suggest_edge_rows"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "limit": c.cfg.MaxEdges + 1}),
		Settings:   clickhouse.PointRead,
		Result: proto.Results{
			{Name: "kind_code", Data: &kind},
			{Name: "other_id", Data: &other},
			{Name: "row_key", Data: &rowKey},
			{Name: "since", Data: &since},
			{Name: "version", Data: &version},
			{Name: "gone", Data: &deleted},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range other.Rows() {
				rows = append(rows, edgeRow{
					kind: kind.Row(i), other: core.ID(other.Row(i)), rowKey: rowKey.Row(i), since: since.Row(i),
					version: version.Row(i), deleted: deleted.Row(i) == 1,
				})
			}
			return nil
		},
	}})
}

// wholeEdges asks for them put together, of these people alone if there are any.
func (c *ClickHouse) wholeEdges(ctx context.Context, viewer core.ID, among []core.ID, limit int) ([]Edge, error) {
	var (
		kind  proto.ColUInt8
		other proto.ColInt64
		edges []Edge
	)
	return edges, c.client.Read(ctx, clickhouse.Query{Name: "suggest_edges", Query: ch.Query{
		Body:       sql.ClickHouse("suggest_edges"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "among": among, "limit": limit}),
		Settings:   clickhouse.OneThread,
		Result:     proto.Results{{Name: "kind_code", Data: &kind}, {Name: "other_id", Data: &other}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range other.Rows() {
				edges = append(edges, Edge{Other: core.ID(other.Row(i)), Follows: kind.Row(i) == kindFollow})
			}
			return nil
		},
	}})
}
