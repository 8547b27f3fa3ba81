package quality

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

// past is the world as it was at a moment, and what happened before it.
type past struct {
	posts  []world.Post
	events []core.Event
}

// load puts the past into both databases, as the consumers would have.
func load(t *testing.T, s *stack.Stack, w *world.World, p past) {
	t.Helper()
	var users, posts, follows, blocks, mutes [][]any
	for u := range w.Users() {
		users = append(users, []any{int64(u.ID), u.Name})
	}
	for _, post := range p.posts {
		posts = append(posts, []any{int64(post.ID), int64(post.AuthorID), post.CreatedAt})
	}
	e := newEdges()
	for pair := range w.Follows() {
		follows = append(follows, []any{int64(pair.From), int64(pair.To)})
		e.add("follow", pair)
	}
	for pair := range w.Blocks() {
		blocks = append(blocks, []any{int64(pair.From), int64(pair.To)})
		e.add("block", pair)
		e.add("blocked_by", world.Pair{From: pair.To, To: pair.From, CreatedAt: pair.CreatedAt})
	}
	for pair := range w.Mutes() {
		mutes = append(mutes, []any{int64(pair.From), int64(pair.To)})
		e.add("mute", pair)
	}
	ctx := context.Background()
	fill := func(table string, rows [][]any, columns ...string) {
		_, err := s.Postgres.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		require.NoError(t, err)
	}
	fill("users", users, "id", "name")
	fill("posts", posts, "id", "author_id", "created_at")
	fill("follows", follows, "follower_id", "followee_id")
	fill("blocks", blocks, "blocker_id", "blocked_id")
	fill("mutes", mutes, "muter_id", "muted_id")

	write(t, s, "viewer_edges", e.input())
	var id, author proto.ColInt64
	var version proto.ColUInt64
	created := new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro)
	for _, post := range p.posts {
		id.Append(int64(post.ID))
		author.Append(int64(post.AuthorID))
		created.Append(post.CreatedAt)
		version.Append(1)
	}
	write(t, s, "posts", proto.Input{
		{Name: "id", Data: &id},
		{Name: "author_id", Data: &author},
		{Name: "created_at", Data: created},
		{Name: "version", Data: &version},
	})
	loadEvents(t, s, p.events)
}

type edges struct {
	viewer, other proto.ColInt64
	kind          *proto.ColEnum
	key           proto.ColStr
	created       *proto.ColDateTime64
	version       proto.ColUInt64
}

func newEdges() *edges {
	return &edges{kind: new(proto.ColEnum), created: new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro)}
}

func (e *edges) add(kind string, p world.Pair) {
	e.viewer.Append(int64(p.From))
	e.kind.Append(kind)
	e.other.Append(int64(p.To))
	e.key.Append(p.From.String() + "/" + p.To.String())
	e.created.Append(p.CreatedAt)
	e.version.Append(1)
}

func (e *edges) input() proto.Input {
	return proto.Input{
		{Name: "viewer_id", Data: &e.viewer},
		{Name: "kind", Data: e.kind},
		{Name: "other_id", Data: &e.other},
		{Name: "row_key", Data: &e.key},
		{Name: "created_at", Data: e.created},
		{Name: "version", Data: &e.version},
	}
}

// loadEvents writes raw events; the views follow. They are all of one Kafka partition.
func loadEvents(t *testing.T, s *stack.Stack, events []core.Event) {
	t.Helper()
	const fence, token = 1, 7
	require.NoError(t, s.ClickHouse.Write(context.Background(), clickhouse.Query{Name: "quality", Query: ch.Query{
		Body: "INSERT INTO partition_owners (fence, token, owner, claimed_at) VALUES (1, 7, 'quality', now64(3))",
	}}))
	var (
		user, post, author, offset proto.ColInt64
		id                         proto.ColUUID
		action                     = new(proto.ColEnum)
		occurred                   = new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli)
		dwell                      proto.ColUInt32
		fences, tokens             proto.ColUInt64
	)
	for i := range events {
		e := &events[i]
		user.Append(int64(e.UserID))
		post.Append(int64(e.PostID))
		author.Append(int64(e.AuthorID))
		offset.Append(int64(i))
		id.Append(uuid.UUID(e.ID))
		action.Append(e.Action.String())
		occurred.Append(e.OccurredAt.Truncate(time.Millisecond))
		dwell.Append(e.DwellMillis)
		fences.Append(fence)
		tokens.Append(token)
	}
	write(t, s, "events", proto.Input{
		{Name: "user_id", Data: &user},
		{Name: "post_id", Data: &post},
		{Name: "author_id", Data: &author},
		{Name: "kafka_offset", Data: &offset},
		{Name: "event_id", Data: &id},
		{Name: "action", Data: action},
		{Name: "occurred_at", Data: occurred},
		{Name: "dwell_ms", Data: &dwell},
		{Name: "fence", Data: &fences},
		{Name: "token", Data: &tokens},
	})
}

func write(t *testing.T, s *stack.Stack, table string, in proto.Input) {
	t.Helper()
	require.NoError(t, s.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "quality", Query: ch.Query{Body: in.Into(table), Input: in}}), table)
}
