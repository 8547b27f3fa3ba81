package trending

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// source asks ClickHouse.
type source struct {
	client *clickhouse.Client
	from   core.CountedFrom
}

func (s source) top(ctx context.Context, w window, weights *Weights, now time.Time, limit int) ([]candidate, error) {
	var (
		ids                             proto.ColInt64
		exposed, interactions, disliked proto.ColFloat64
		found                           []candidate
	)
	name, params := s.from.Query("trending_top", map[string]any{
		"since": w.since(now).Unix(), "day": now.Truncate(time.Hour).Add(-23 * time.Hour).Unix(),
		"days": max(1, int(w.length.Hours())/24), "limit": limit,
		"like": weights.Like, "comment": weights.Comment, "share": weights.Share, "dislike": weights.Dislike,
		"a": weights.PriorInteractions, "b": weights.PriorExposures, "rate": weights.rate(),
		"min_people": weights.MinPeople, "people_share": weights.PeopleShare,
	})
	return found, s.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params),
		Settings: clickhouse.Job,
		Result: proto.Results{
			{Name: "post_id", Data: &ids},
			{Name: "exposed", Data: &exposed},
			{Name: "interactions", Data: &interactions},
			{Name: "disliked", Data: &disliked},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range ids.Rows() {
				found = append(found, candidate{
					post: core.ID(ids.Row(i)), exposed: exposed.Row(i),
					interactions: interactions.Row(i), disliked: disliked.Row(i),
				})
			}
			return nil
		},
	}})
}

// visible are those of some posts that may be shown to everybody, without labels that keep them out of lists.
func (s source) visible(ctx context.Context, posts, keptOut []core.ID) (map[core.ID]core.Post, error) {
	var (
		ids, authors proto.ColInt64
		created      proto.ColDateTime64
		labels       = new(proto.ColInt64).Array()
	)
	found := make(map[core.ID]core.Post, len(posts))
	return found, s.client.Read(ctx, clickhouse.Query{Name: "trending_posts", Query: ch.Query{
		Body: sql.ClickHouse("trending_posts"), Parameters: clickhouse.Params(
			map[string]any{"ids": posts, "kept_out": keptOut}),
		Settings: clickhouse.Job,
		Result: proto.Results{
			{Name: "id", Data: &ids},
			{Name: "author_id", Data: &authors},
			{Name: "created_at", Data: &created},
			{Name: "labels", Data: labels},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range ids.Rows() {
				id := core.ID(ids.Row(i))
				found[id] = core.Post{
					ID: id, AuthorID: core.ID(authors.Row(i)), CreatedAt: created.Row(i).UTC(),
					Labels: clickhouse.LabelsAt(labels, i),
				}
			}
			return nil
		},
	}})
}

// users counts the people who interacted with each of these posts, in the raw events.
func (s source) users(ctx context.Context, posts []core.ID, since time.Time) (map[core.ID]int64, error) {
	var (
		ids   proto.ColInt64
		users proto.ColUInt64
	)
	found := make(map[core.ID]int64, len(posts))
	name, params := s.from.Query("trending_users", map[string]any{"ids": posts, "since": since.Unix()})
	return found, s.client.Read(ctx, clickhouse.Query{Name: name, Query: ch.Query{
		Body: sql.ClickHouse(name), Parameters: clickhouse.Params(params), Settings: clickhouse.Job,
		Result: proto.Results{{Name: "post_id", Data: &ids}, {Name: "users", Data: &users}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range ids.Rows() {
				found[core.ID(ids.Row(i))] = int64(users.Row(i))
			}
			return nil
		},
	}})
}
