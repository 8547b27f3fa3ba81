package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse is the server with our database.
type ClickHouse struct {
	Client *clickhouse.Client
	Clock  core.Clock
	// MaxPosts is how many posts a replica may keep in memory, and Window how old they may be.
	MaxPosts int
	Window   time.Duration
	Limits
}

const clickhouseArea = "clickhouse"

// Checks are what is looked at.
func (c ClickHouse) Checks() []Check {
	return []Check{
		{clickhouseArea, "clock", c.clock},
		{clickhouseArea, "free space", c.disks},
		{clickhouseArea, "parts that wait for a merge", c.parts},
		{clickhouseArea, "mutations that fail", c.mutations},
		{"feedrank", "the posts that a replica keeps in memory", c.posts},
	}
}

func (c ClickHouse) clock(ctx context.Context) ([]Finding, error) {
	var now proto.ColDateTime64
	before := c.Clock.Now()
	if err := c.read(ctx, "doctor_clock", nil, proto.Results{{Name: "now", Data: &now}}); err != nil {
		return nil, err
	}
	return clockFindings(clickhouseArea, before, now.Row(0), c.Clock.Now()), nil
}

func (c ClickHouse) disks(ctx context.Context) (found []Finding, err error) {
	var name proto.ColStr
	var free, total proto.ColUInt64
	if err := c.read(ctx, "doctor_disks", nil, proto.Results{
		{Name: "name", Data: &name}, {Name: "free", Data: &free}, {Name: "total", Data: &total},
	}); err != nil {
		return nil, err
	}
	for i := range name.Rows() {
		used := 1 - float64(free.Row(i))/float64(max(1, total.Row(i)))
		level := Risk
		switch {
		case used < c.FullDisk:
			continue
		case used >= c.FullestDisk:
			level = Broken
		}
		found = append(found, Finding{
			level, clickhouseArea, fmt.Sprintf("disk %s is %.0f %% full: %s are left", name.Row(i), 100*used,
				size(int64(free.Row(i)))),
			"make it larger, or drop old partitions of feedrank.events: inserts are refused when it is full, and wait in Kafka",
		})
	}
	return found, nil
}

func (c ClickHouse) parts(ctx context.Context) (found []Finding, err error) {
	var table proto.ColStr
	var parts proto.ColUInt64
	if err := c.read(ctx, "doctor_parts", map[string]any{"database": c.Client.Database(), "many": c.Parts},
		proto.Results{{Name: "table", Data: &table}, {Name: "parts", Data: &parts}}); err != nil {
		return nil, err
	}
	for i := range table.Rows() {
		found = append(found, Finding{
			Risk, clickhouseArea, fmt.Sprintf("a partition of %s has %d parts", table.Row(i), parts.Row(i)),
			"merges do not keep up: look at system.merges and at the disk, or let batches be larger (events.batch, cdc.batch)",
		})
	}
	return found, nil
}

func (c ClickHouse) mutations(ctx context.Context) (found []Finding, err error) {
	var table, reason proto.ColStr
	if err := c.read(ctx, "doctor_mutations", map[string]any{"database": c.Client.Database()},
		proto.Results{{Name: "table", Data: &table}, {Name: "reason", Data: &reason}}); err != nil {
		return nil, err
	}
	for i := range table.Rows() {
		found = append(found, Finding{
			Broken, clickhouseArea, fmt.Sprintf("a mutation of %s fails: %.200s", table.Row(i), reason.Row(i)),
			"an erasure is not finished: mend the reason, or KILL MUTATION and erase again",
		})
	}
	return found, nil
}

// posts compares what there is with what a replica may keep.
func (c ClickHouse) posts(ctx context.Context) ([]Finding, error) {
	var posts proto.ColUInt64
	since := c.Clock.Now().Add(-c.Window).UnixMicro()
	if err := c.read(ctx, "doctor_posts", map[string]any{"since": since},
		proto.Results{{Name: "posts", Data: &posts}}); err != nil {
		return nil, err
	}
	if n := posts.Row(0); n > uint64(c.MaxPosts) {
		return []Finding{{
			Risk, "feedrank", fmt.Sprintf("%d posts are younger than feed.hot.window (%s), and a replica keeps %d", n,
				c.Window, c.MaxPosts),
			"raise feed.hot.max_posts (about 130 bytes each) or shorten the window: the oldest are in nobody's ranked feed",
		}}, nil
	}
	return nil, nil
}

func (c ClickHouse) read(ctx context.Context, query string, params map[string]any, result proto.Results) error {
	err := c.Client.Read(ctx, clickhouse.Query{Name: query, Query: ch.Query{
		Body: sql.ClickHouse(query), Parameters: clickhouse.Params(params), Result: result,
	}})
	if exception, ok := clickhouse.AsException(err); ok && exception.Code == proto.ErrAccessDenied {
		return fmt.Errorf("%w: %s", ErrNotAllowed, exception.Message)
	}
	return err
}
