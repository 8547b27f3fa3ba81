package hot

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Since ranks the trending posts of a longer time than the set covers: it asks ClickHouse.
func (c *ClickHouse) Since(ctx context.Context, since, now time.Time, ranking *rank.Config, limit int) ([]Ranked,
	error,
) {
	posts, err := c.top(ctx, since, &ranking.Engagement, limit)
	if err != nil || len(posts) == 0 {
		return nil, err
	}
	visible, err := c.visible(ctx, posts)
	if err != nil {
		return nil, err
	}
	list := make([]Ranked, 0, len(visible))
	for id, one := range visible {
		p := Post{ID: id, Author: one.AuthorID, Created: one.CreatedAt.UnixMicro()}
		p.counts[Past], p.dislikes = countsOf(posts[id]), dislikesOf(posts[id])
		list = append(list, Ranked{
			Post: p, Value: ranking.WeeklyTrend(p.Day(), p.Age(now)), Labels: one.Labels,
		})
	}
	slices.SortFunc(list, func(a, b Ranked) int {
		if worse(&b, &a) {
			return -1
		}
		return 1
	})
	return list, nil
}

func (c *ClickHouse) top(ctx context.Context, since time.Time, e *rank.Engagement, limit int,
) (map[core.ID]core.Engagement, error) {
	var ids, exposures, likes, comments, shares, dislikes proto.ColInt64
	posts := make(map[core.ID]core.Engagement, limit)
	name, params := c.from.Query("feed_week_top", map[string]any{
		"since": since.Unix(), "limit": limit, "like": e.Like, "comment": e.Comment, "share": e.Share,
		"dislike": e.Dislike,
		"a":       e.PriorInteractions, "b": e.PriorExposures, "rate": rateOf(e), "min_people": e.MinPeople,
		"people_share": e.PeopleShare,
	})
	return posts, c.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params),
		Result: proto.Results{
			{Name: "post_id", Data: &ids},
			{Name: "exposures", Data: &exposures},
			{Name: "likes", Data: &likes},
			{Name: "comments", Data: &comments},
			{Name: "shares", Data: &shares},
			{Name: "dislikes", Data: &dislikes},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range ids.Rows() {
				posts[core.ID(ids.Row(i))] = core.Engagement{
					Exposures: exposures.Row(i), Likes: likes.Row(i), Comments: comments.Row(i), Shares: shares.Row(i),
					Dislikes: dislikes.Row(i),
				}
			}
			return nil
		},
	}})
}

// rateOf is the highest rate that is believed.
func rateOf(e *rank.Engagement) float64 {
	if e.MaxRate > 0 {
		return e.MaxRate
	}
	return math.MaxFloat32
}

// visible are those of some posts that everybody may see.
func (c *ClickHouse) visible(ctx context.Context, posts map[core.ID]core.Engagement) (map[core.ID]core.Post, error) {
	ids := make([]core.ID, 0, len(posts))
	for id := range posts {
		ids = append(ids, id)
	}
	found := make(map[core.ID]core.Post, len(posts))
	return found, c.PostsByID(ctx, ids, func(p core.Post) {
		if _, out := p.Labels.First(c.out); p.Audience == core.Public && !out {
			found[p.ID] = p
		}
	})
}
