package cdc

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// edgeKinds are the kinds of edges that rows of a kind give.
func edgeKinds(k mapping.Kind) []string {
	switch k {
	case mapping.Follow:
		return []string{"follow"}
	case mapping.Block:
		return []string{"block", "blocked_by"}
	case mapping.Mute:
		return []string{"mute"}
	case mapping.User, mapping.Post, mapping.Comment, mapping.Like:
	}
	return nil
}

// scanEdges reads edges that came from rows of a kind, by one of two queries.
func scanEdges(ctx context.Context, db *clickhouse.Client, k mapping.Kind, query string, parameters map[string]any, each func(e edge)) error {
	if !k.HasEdges() {
		return nil
	}
	var (
		key, kind     proto.ColStr
		viewer, other proto.ColInt64
	)
	parameters = maps.Clone(parameters)
	parameters["kinds"] = edgeKinds(k)
	return db.Write(ctx, clickhouse.Query{Name: query, Query: ch.Query{ // not Read: a part that was seen must not come twice
		Body:       sql.ClickHouse(query),
		Parameters: clickhouse.Params(parameters),
		Result: proto.Results{
			{Name: "row_key", Data: &key}, {Name: "viewer_id", Data: &viewer}, {Name: "kind", Data: &kind}, {Name: "other_id", Data: &other},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range key.Rows() {
				each(edge{viewer: viewer.Row(i), kind: edgeKind(kind.Row(i)), other: other.Row(i), key: key.Row(i)})
			}
			return nil
		},
	}})
}

func (h hasher) edge(e edge) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	_, _ = fmt.Fprintf(&m, "%s|%d|%s|%d", e.key, e.viewer, e.kind, e.other)
	return m.Sum64()
}

// whole is the hash of a row with its edges: sums, so that their order does not matter.
func (h hasher) whole(k mapping.Kind, key string, r mapping.Row) uint64 {
	sum := h.row(key, r)
	for _, e := range edgesOf(k, r) {
		sum += h.edge(e)
	}
	return sum
}
