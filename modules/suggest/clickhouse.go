package suggest

import (
	"context"
	"strconv"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse is the Source in production: reads by primary key of what the consumers keep.
type ClickHouse struct {
	cfg    Config
	client *clickhouse.Client
	from   core.CountedFrom
}

var _ Source = (*ClickHouse)(nil)

// NewClickHouse makes a source.
func NewClickHouse(cfg Config, client *clickhouse.Client, from core.CountedFrom) *ClickHouse {
	return &ClickHouse{cfg: cfg, client: client, from: from}
}

// kindFollow is the code of a follow in viewer_edges; kinds is how many there are.
const (
	kindFollow = 1
	kinds      = 4
)

// Edges implements Source.
func (c *ClickHouse) Edges(ctx context.Context, viewer core.ID, among []core.ID) ([]Edge, error) {
	var (
		kind  proto.ColUInt8
		other proto.ColInt64
		edges []Edge
		limit = c.cfg.MaxEdges
	)
	if len(among) > 0 {
		limit = kinds * len(among) // all there can be
	}
	return edges, c.client.Read(ctx, clickhouse.Query{Name: "suggest_edges", Query: ch.Query{
		Body:       sql.ClickHouse("suggest_edges"),
		Parameters: ch.Parameters(map[string]any{"viewer": int64(viewer), "among": list(among), "limit": limit}),
		Settings:   oneThread,
		Result:     proto.Results{{Name: "kind_code", Data: &kind}, {Name: "other_id", Data: &other}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range other.Rows() {
				edges = append(edges, Edge{Other: core.ID(other.Row(i)), Follows: kind.Row(i) == kindFollow})
			}
			return nil
		},
	}})
}

// Followed implements Source.
func (c *ClickHouse) Followed(ctx context.Context, seeds []core.ID, limit int) ([]Counted, error) {
	return c.people(ctx, "suggest_followed", c.bounds(seeds, limit))
}

// Engaged implements Source.
func (c *ClickHouse) Engaged(ctx context.Context, seeds []core.ID, limit int) ([]Counted, error) {
	name, params := c.from.Query("suggest_engaged", c.bounds(seeds, limit))
	return c.people(ctx, name, params)
}

func (c *ClickHouse) bounds(seeds []core.ID, limit int) map[string]any {
	return map[string]any{"seeds": list(seeds), "per_seed": c.cfg.PerSeed, "limit": limit}
}

func (c *ClickHouse) people(ctx context.Context, name string, params map[string]any) ([]Counted, error) {
	var (
		candidate, done proto.ColInt64
		people          proto.ColUInt64
		some            = proto.NewArray(new(proto.ColInt64))
		out             []Counted
	)
	return out, c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: ch.Parameters(params),
		// What is beyond the bound is left unread, and the rest is the answer.
		Settings: append([]ch.Setting{
			{Key: "max_rows_to_read", Value: strconv.Itoa(c.cfg.MaxRows)}, {Key: "read_overflow_mode", Value: "break"},
		}, oneThread...),
		Result: proto.Results{{Name: "candidate", Data: &candidate}, {Name: "people", Data: &people}, {Name: "some", Data: some}, {Name: "done", Data: &done}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range candidate.Rows() {
				one := Counted{User: core.ID(candidate.Row(i)), Count: int64(people.Row(i)), Done: done.Row(i)} //nolint:gosec // a count
				for _, id := range some.Row(i) {
					one.Some = append(one.Some, core.ID(id))
				}
				out = append(out, one)
			}
			return nil
		},
	}})
}

// Gone implements Source.
func (c *ClickHouse) Gone(ctx context.Context, users []core.ID) ([]core.ID, error) {
	var (
		id   proto.ColInt64
		gone []core.ID
	)
	return gone, c.client.Read(ctx, clickhouse.Query{Name: "suggest_gone", Query: ch.Query{
		Body: sql.ClickHouse("suggest_gone"), Parameters: ch.Parameters(map[string]any{"ids": list(users)}),
		Settings: oneThread, Result: proto.Results{{Name: "id", Data: &id}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range id.Rows() {
				gone = append(gone, core.ID(id.Row(i)))
			}
			return nil
		},
	}})
}

// Popular implements PopularSource.
func (c *ClickHouse) Popular(ctx context.Context) ([]Counted, error) {
	var (
		candidate proto.ColInt64
		people    proto.ColUInt64
		out       []Counted
	)
	name, params := c.from.Query("suggest_popular", map[string]any{"days": c.cfg.Popular.Days, "limit": c.cfg.Popular.Limit})
	return out, c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: ch.Parameters(params),
		Settings:   oneThread,
		Result:     proto.Results{{Name: "candidate", Data: &candidate}, {Name: "people", Data: &people}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range candidate.Rows() {
				out = append(out, Counted{User: core.ID(candidate.Row(i)), Count: int64(people.Row(i))}) //nolint:gosec // a count
			}
			return nil
		},
	}})
}

// oneThread keeps suggestions beside the feed, not before it.
var oneThread = []ch.Setting{{Key: "max_threads", Value: "1"}}

// list is an array of ids as a query's parameter.
func list(ids []core.ID) string {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = id.Append(b)
	}
	return string(append(b, ']'))
}
