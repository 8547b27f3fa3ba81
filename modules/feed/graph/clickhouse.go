package graph

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// The kinds of an edge, as both databases tell them.
const (
	kindFollow    = 1
	kindBlock     = 2
	kindBlockedBy = 3
	kindMute      = 4
	kindMember    = 5
	kindHide      = 6
)

// ClickHouse reads the copies that the consumers keep: two point reads by primary key.
type ClickHouse struct {
	client      *clickhouse.Client
	from        core.CountedFrom
	clock       core.Clock
	maxEdges    int
	maxAffinity int
	mutuals     bool
}

// NewClickHouse bounds how many edges and how many authors with affinity are read.
func NewClickHouse(client *clickhouse.Client, from core.CountedFrom, clock core.Clock, maxEdges,
	maxAffinity int,
) *ClickHouse {
	return &ClickHouse{client: client, from: from, clock: clock, maxEdges: maxEdges, maxAffinity: maxAffinity}
}

// WithMutuals has it tell, too, who of the viewer's followees follows the viewer back.
func (c *ClickHouse) WithMutuals(on bool) *ClickHouse {
	c.mutuals = on
	return c
}

// Edges are the viewer's relations, in no order, and when some of them end. An author may come more than once.
func (c *ClickHouse) Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, []reserve.End, error) {
	edges, ends, err := c.ownEdges(ctx, viewer)
	if err != nil || !c.mutuals {
		return edges, ends, err
	}
	edges, err = withMutuals(edges, func(followees []core.ID) ([]core.ID, error) {
		return c.client.IDs(ctx, "author_id", clickhouse.Query{Name: "feed_viewer_followed_back", Query: ch.Query{
			Body:       sql.ClickHouse("feed_viewer_followed_back"),
			Parameters: clickhouse.Params(map[string]any{"viewer": viewer, "authors": followees}),
			Settings:   clickhouse.OneThread,
		}})
	})
	return edges, ends, err
}

func (c *ClickHouse) ownEdges(ctx context.Context, viewer core.ID) ([]reserve.Author, []reserve.End, error) {
	if edges, ends, all, err := c.fewEdges(ctx, viewer); all || err != nil {
		return edges, ends, err
	}
	return c.manyEdges(ctx, viewer)
}

func (c *ClickHouse) manyEdges(ctx context.Context, viewer core.ID) ([]reserve.Author, []reserve.End, error) {
	var (
		kind, stands proto.ColUInt8
		other, until proto.ColInt64
		edges        []reserve.Author
		ends         []reserve.End
	)
	err := c.client.Read(ctx, clickhouse.Query{Name: "feed_viewer_edges", Query: ch.Query{
		Body:       sql.ClickHouse("feed_viewer_edges"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "limit": c.maxEdges}),
		Settings:   clickhouse.OneThread,
		Result: proto.Results{
			{Name: "kind_code", Data: &kind},
			{Name: "other_id", Data: &other},
			{Name: "stands", Data: &stands},
			{Name: "until", Data: &until},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range other.Rows() {
				relation := relationOf(int(kind.Row(i)))
				if stands.Row(i) == 0 {
					relation = reserve.Unfollowed
				}
				edges = append(edges, reserve.Author{ID: core.ID(other.Row(i)), Relation: relation})
				if at := until.Row(i); at != 0 && relation&reserve.BlockedOrMuted != 0 {
					ends = append(ends, reserve.End{Author: core.ID(other.Row(i)), Relation: relation, At: at})
				}
			}
			return nil
		},
	}})
	return edges, ends, err
}

// Interactions are what a viewer did with the posts of others in 90 days.
type Interactions struct {
	Authors      []reserve.Author // with their weighted interactions
	HiddenLately int64            // hides in the last HideDays days
	ViewedLately int64            // views of today and yesterday
	Where        Where            // where Marks finds what was hidden and seen
}

// What a viewer did counts for affinityDays. The raw events, which tell what was hidden, are kept for 30 times 24
// hours: at any hour but midnight these touch HideDays days.
const (
	affinityDays = 90
	HideDays     = 31
)

// Affinity is what the viewer did with each author's posts in 90 days, weighted.
func (c *ClickHouse) Affinity(ctx context.Context, viewer core.ID, weights rank.Affinity) (Interactions, error) {
	if c.from == core.CountedFromEvents() {
		if interactions, all, err := c.fewInteractions(ctx, viewer, weights); all || err != nil {
			return interactions, err
		}
	}
	return c.manyInteractions(ctx, viewer, weights)
}

func (c *ClickHouse) manyInteractions(ctx context.Context, viewer core.ID, weights rank.Affinity) (Interactions,
	error,
) {
	var (
		author, views, clicks, likes, comments, shares, hides, hidden, viewed, dislikes proto.ColInt64
		interactions                                                                    Interactions
	)
	name, params := c.from.Query("feed_viewer_affinity",
		map[string]any{"viewer": int64(viewer), "limit": c.maxAffinity, "days": HideDays})
	err := c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body:       sql.ClickHouse(name),
		Parameters: clickhouse.Params(params),
		Settings:   clickhouse.OneThread,
		Result: proto.Results{
			{Name: "author_id", Data: &author},
			{Name: "views", Data: &views},
			{Name: "clicks", Data: &clicks},
			{Name: "likes", Data: &likes},
			{Name: "comments", Data: &comments},
			{Name: "shares", Data: &shares},
			{Name: "hides", Data: &hides},
			{Name: "hidden_lately", Data: &hidden},
			{Name: "viewed_lately", Data: &viewed},
			{Name: "dislikes", Data: &dislikes},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range author.Rows() {
				weighted := weights.Weighted(rank.AuthorCounts{
					Views: views.Row(i), Clicks: clicks.Row(i), Likes: likes.Row(i),
					Comments: comments.Row(i), Shares: shares.Row(i), Hides: hides.Row(i),
					Dislikes: dislikes.Row(i),
				})
				interactions.Authors = append(interactions.Authors,
					reserve.Author{ID: core.ID(author.Row(i)), Interactions: float32(weighted)})
				interactions.HiddenLately += max(0, hidden.Row(i))
				interactions.ViewedLately += max(0, viewed.Row(i))
			}
			return nil
		},
	}})
	return interactions, err
}

func relationOf(kind int) reserve.Relation {
	switch kind {
	case kindFollow:
		return reserve.Follows
	case kindBlock:
		return reserve.Blocks
	case kindBlockedBy:
		return reserve.BlockedBy
	case kindMute:
		return reserve.Mutes
	case kindMember:
		return reserve.MemberOf
	case kindHide:
		return reserve.HidPost
	default:
		return 0
	}
}
