package refill

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/marks"
	"github.com/feedrank/feedrank/modules/feed/store"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse reads the raw events page by page, with one thread, beside those who ask for feeds.
type ClickHouse struct {
	client *clickhouse.Client
	rows   int // of a page
}

// NewClickHouse makes it.
func NewClickHouse(client *clickhouse.Client) *ClickHouse { return &ClickHouse{client, pageRows} }

const pageRows = 100_000 // some megabytes

// Partitions implements Source.
func (c *ClickHouse) Partitions(ctx context.Context) ([]uint16, error) {
	var (
		partition proto.ColUInt16
		out       []uint16
	)
	return out, c.client.Read(ctx, clickhouse.Query{Name: "refill_partitions", Query: ch.Query{
		Body: sql.ClickHouse("refill_partitions"), Settings: clickhouse.Job,
		Result: proto.Results{{Name: "kafka_partition", Data: &partition}},
		OnResult: func(context.Context, proto.Block) error {
			out = append(out, partition...)
			return nil
		},
	}})
}

// Hidden implements Source.
func (c *ClickHouse) Hidden(ctx context.Context, partition uint16, after core.ID, since time.Time) ([]store.Mark,
	error,
) {
	return c.page(ctx, "refill_hidden", partition, after, since)
}

// Seen implements Source.
func (c *ClickHouse) Seen(ctx context.Context, partition uint16, after core.ID, since time.Time) ([]store.Mark, error) {
	return c.page(ctx, "refill_seen", partition, after, since)
}

func (c *ClickHouse) page(ctx context.Context, name string, partition uint16, after core.ID,
	since time.Time,
) ([]store.Mark, error) {
	var (
		user, post proto.ColInt64
		received   proto.ColDateTime64
		back       proto.ColUInt8
		page       []store.Mark
	)
	err := c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name),
		Parameters: clickhouse.Params(map[string]any{
			"partition": partition, "after": int64(after), "since": since.UnixMilli(), "limit": c.rows,
		}),
		Settings: clickhouse.Job,
		Result: proto.Results{
			{Name: "user_id", Data: &user},
			{Name: "post_id", Data: &post},
			{Name: "back", Data: &back},
			{Name: "at", Data: &received},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range user.Rows() {
				mark := store.Mark{User: core.ID(user.Row(i)), Post: core.ID(post.Row(i)), At: received.Row(i)}
				if back.Row(i) != 0 {
					mark.At = marks.Undo(mark.At)
				}
				page = append(page, mark)
			}
			return nil
		},
	}})
	if err != nil || len(page) < c.rows {
		return page, err
	}
	// There are more rows, perhaps of the last user: who begins the next page, unless they fill this one.
	first := len(page) - 1
	for first > 0 && page[first-1].User == page[first].User {
		first--
	}
	if first > 0 {
		page = page[:first]
	}
	return page, nil
}
