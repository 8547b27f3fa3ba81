package hot

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// ClickHouse is the Source in production.
type ClickHouse struct {
	client *clickhouse.Client
	from   core.CountedFrom
	load   LoadNames // nil: all keys are integers
	out    []core.ID // labels of posts that are in no list for everybody
}

// LoadNames brings the keys of numbers into memory that were derived from them.
type LoadNames func(ctx context.Context, ids []core.ID) error

var (
	_ Source = (*ClickHouse)(nil)
	_ Direct = (*ClickHouse)(nil)
)

// smallBlocks are asked for because a connection keeps the memory that the largest block took.
var smallBlocks = []ch.Setting{{Key: "max_block_size", Value: "8192"}}

// The set follows what happens behind those who ask for feeds; some of these ask for what it lacks.
var (
	following = slices.Concat(smallBlocks, clickhouse.Job)
	direct    = slices.Concat(smallBlocks, clickhouse.OneThread)
)

// NewClickHouse makes a source.
func NewClickHouse(client *clickhouse.Client, from core.CountedFrom) *ClickHouse {
	return &ClickHouse{client: client, from: from}
}

// Naming has the keys of posts and authors that are no integers loaded with the posts: so a page names what it shows
// without a question. Where that fails the page asks.
func (c *ClickHouse) Naming(load LoadNames) *ClickHouse {
	c.load = load
	return c
}

// KeepingOut keeps posts with one of these labels, ascending, out of the list of Since.
func (c *ClickHouse) KeepingOut(labels []core.ID) *ClickHouse {
	c.out = labels
	return c
}

// Posts implements Source.
func (c *ClickHouse) Posts(ctx context.Context, since time.Time, limit int, add func(core.Post)) error {
	return c.posts(ctx, following, "feed_hot_posts", map[string]any{"since": since.UnixMicro(), "limit": limit}, add)
}

// OlderPosts implements Source.
func (c *ClickHouse) OlderPosts(ctx context.Context, before time.Time, limit int, add func(core.Post)) error {
	return c.posts(ctx, following, "feed_hot_older_posts", map[string]any{"before": before.UnixMicro(), "limit": limit},
		add)
}

// PostsOf implements Direct.
func (c *ClickHouse) PostsOf(ctx context.Context, authors, groups []core.ID, since time.Time, limit int,
	add func(core.Post),
) error {
	return c.posts(ctx, direct, "feed_author_posts",
		map[string]any{"authors": authors, "groups": groups, "since": since.UnixMicro(), "limit": limit}, add)
}

// PostsByID implements Direct.
func (c *ClickHouse) PostsByID(ctx context.Context, ids []core.ID, add func(core.Post)) error {
	return c.posts(ctx, direct, "feed_posts", map[string]any{"ids": ids}, add)
}

// EngagementOf implements Direct.
func (c *ClickHouse) EngagementOf(ctx context.Context, ids []core.ID, since, hour time.Time,
	add func(core.ID, Age, core.Engagement),
) error {
	return c.engagement(ctx, direct, "feed_engagement",
		map[string]any{"ids": ids, "since": since.Unix(), "hour": hour.Unix()}, add)
}

func (c *ClickHouse) posts(ctx context.Context, settings []ch.Setting, name string, params map[string]any,
	add func(core.Post),
) error {
	var (
		ids, authors proto.ColInt64
		created      proto.ColDateTime64
		audience     proto.ColUInt8
		group        proto.ColInt64
		labels       = new(proto.ColInt64).Array()
	)
	names := nameLoader{load: c.load}
	defer names.flush(ctx)
	return c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params), Settings: settings,
		Result: proto.Results{
			{Name: "id", Data: &ids},
			{Name: "author_id", Data: &authors},
			{Name: "created_at", Data: &created},
			{Name: "audience", Data: &audience},
			{Name: "group_id", Data: &group},
			{Name: "labels", Data: labels},
		},
		OnResult: func(ctx context.Context, _ proto.Block) error {
			for i := range ids.Rows() {
				names.add(ctx, core.ID(ids.Row(i)), core.ID(authors.Row(i)))
				add(core.Post{
					ID: core.ID(ids.Row(i)), AuthorID: core.ID(authors.Row(i)), CreatedAt: created.Row(i),
					Audience: core.Audience(audience.Row(i)), Group: core.ID(group.Row(i)),
					Labels: clickhouse.LabelsAt(labels, i),
				})
			}
			return nil
		},
	}})
}

// Engagement implements Source.
func (c *ClickHouse) Engagement(ctx context.Context, since, hour time.Time,
	add func(core.ID, Age, core.Engagement),
) error {
	return c.engagement(ctx, following, "feed_hot_engagement",
		map[string]any{"since": since.Unix(), "hour": hour.Unix()}, add)
}

// EngagementLately implements Source.
func (c *ClickHouse) EngagementLately(ctx context.Context, since, hour time.Time, within time.Duration,
	add func(core.ID, Age, core.Engagement),
) error {
	return c.engagement(ctx, following, "feed_hot_engagement_lately", map[string]any{
		"since": since.Unix(), "hour": hour.Unix(), "within": int64(math.Ceil(within.Seconds())),
	}, add)
}

func (c *ClickHouse) engagement(ctx context.Context, settings []ch.Setting, name string, params map[string]any,
	add func(core.ID, Age, core.Engagement),
) error {
	var (
		ids, exposures, likes, comments, shares, dislikes proto.ColInt64
		age                                               proto.ColUInt8
	)
	name, params = c.from.Query(name, params)
	return c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: clickhouse.Params(params),
		Settings:   settings,
		Result: proto.Results{
			{Name: "post_id", Data: &ids},
			{Name: "age", Data: &age},
			{Name: "exposures", Data: &exposures},
			{Name: "likes", Data: &likes},
			{Name: "comments", Data: &comments},
			{Name: "shares", Data: &shares},
			{Name: "dislikes", Data: &dislikes},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range ids.Rows() {
				add(core.ID(ids.Row(i)), min(Age(age.Row(i)), Current), core.Engagement{
					Exposures: exposures.Row(i), Likes: likes.Row(i), Comments: comments.Row(i), Shares: shares.Row(i),
					Dislikes: dislikes.Row(i),
				})
			}
			return nil
		},
	}})
}
