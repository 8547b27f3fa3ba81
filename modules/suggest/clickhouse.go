package suggest

import (
	"context"
	"slices"
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

// Where ids count up, the rows of people with close ids lie beside each other, and reading one's reads
// those of others.
const (
	closeIDs  = 16  // those that differ in the last four bits
	maxBeside = 512 // people in one question, unless more are asked for
)

// besides adds people whose rows lie beside those of people.
func besides(people []core.ID) []core.ID {
	all, among := slices.Clone(people), make(map[core.ID]bool, maxBeside)
	for _, id := range people {
		among[id] = true
	}
	for _, id := range people {
		if id.Derived() { // beside it are strangers
			continue
		}
		for i := range core.ID(closeIDs) {
			if id = id&^(closeIDs-1) + i; len(all) < maxBeside && id.Valid() && !among[id] {
				among[id], all = true, append(all, id)
			}
		}
	}
	return all
}

// Circles implements Source.
func (c *ClickHouse) Circles(ctx context.Context, people []core.ID, beside bool) (map[core.ID]Circle, bool, error) {
	if beside {
		people = besides(people)
	}
	var (
		person, other, weight proto.ColInt64
		read                  uint64
		follows               = make(map[core.ID][]core.ID, len(people))
		acts                  = make(map[core.ID][]Act, len(people))
	)
	name, params := c.from.Query("suggest_circles", map[string]any{"people": people, "per_seed": c.cfg.PerSeed})
	err := c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: clickhouse.Params(params),
		// What is beyond the bound is left unread, and the rest is the answer.
		Settings: append([]ch.Setting{
			{Key: "max_rows_to_read", Value: strconv.Itoa(c.cfg.MaxRows)}, {Key: "read_overflow_mode", Value: "break"},
		}, clickhouse.OneThread...),
		Result: proto.Results{
			{Name: "person", Data: &person},
			{Name: "other", Data: &other},
			{Name: "weight", Data: &weight},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range person.Rows() {
				who, whom := core.ID(person.Row(i)), core.ID(other.Row(i))
				if w := weight.Row(i); w > 0 {
					acts[who] = append(acts[who], Act{Author: whom, Weight: w})
				} else {
					follows[who] = append(follows[who], whom)
				}
			}
			return nil
		},
		OnProgress: func(_ context.Context, p proto.Progress) error {
			read += p.Rows
			return nil
		},
	}})
	if err != nil {
		return nil, false, err
	}
	found := make(map[core.ID]Circle, len(follows))
	for who := range follows {
		found[who] = Pack(follows[who], acts[who])
	}
	for who := range acts {
		if _, packed := found[who]; !packed {
			found[who] = Pack(nil, acts[who])
		}
	}
	return found, read < uint64(c.cfg.MaxRows), nil // validated: above 0
}

// Gone implements Source.
func (c *ClickHouse) Gone(ctx context.Context, users []core.ID) ([]core.ID, error) {
	return c.ids(ctx, "suggest_gone", map[string]any{"ids": users})
}

// Existing implements Source.
func (c *ClickHouse) Existing(ctx context.Context, users []core.ID) ([]core.ID, error) {
	return c.ids(ctx, "suggest_existing", map[string]any{"ids": users})
}

// Suspects implements Source.
func (c *ClickHouse) Suspects(ctx context.Context, limit int) ([]core.ID, error) {
	return c.ids(ctx, "suggest_suspects", map[string]any{"limit": limit})
}

func (c *ClickHouse) ids(ctx context.Context, name string, params map[string]any) ([]core.ID, error) {
	return c.client.IDs(ctx, "id", clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params), Settings: clickhouse.OneThread,
	}})
}

// Popular implements PopularSource.
func (c *ClickHouse) Popular(ctx context.Context) ([]Counted, error) {
	var (
		candidate proto.ColInt64
		people    proto.ColUInt64
		out       []Counted
	)
	name, params := c.from.Query("suggest_popular",
		map[string]any{"days": c.cfg.Popular.Days, "limit": c.cfg.Popular.Limit})
	return out, c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: clickhouse.Params(params),
		Settings:   clickhouse.OneThread,
		Result:     proto.Results{{Name: "candidate", Data: &candidate}, {Name: "people", Data: &people}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range candidate.Rows() {
				out = append(out, Counted{User: core.ID(candidate.Row(i)), Count: int64(people.Row(i))})
			}
			return nil
		},
	}})
}
