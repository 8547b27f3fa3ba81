package graph_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) {
	stack.Main(m, embeddedtest.Only(embedded.ClickHouse, embedded.Postgres))
}

// theirSchema is an app with names of its own, and no mutes.
const theirSchema = `
CREATE SCHEMA "Social";
CREATE TABLE "Social".article (article_id bigint PRIMARY KEY, writer bigint, written timestamptz, state int);
CREATE TABLE "Social".subscription (who bigint, whom bigint);
CREATE TABLE "Social".ban (who bigint, whom bigint);
INSERT INTO "Social".article VALUES (1, 20, now() - interval '1 hour', 1), (2, 20, now(), 0), (3, 30, now(), 1), (4, 40, now(), 1), (5, 10, now(), 1);
INSERT INTO "Social".subscription VALUES (10, 20), (10, 30);
INSERT INTO "Social".ban VALUES (30, 10)`

// TestFolloweesWhoFollowBackAreTold asks both servers the same.
func TestFolloweesWhoFollowBackAreTold(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	_, err := s.Postgres.Exec(ctx, `INSERT INTO users (id, name) SELECT i, 'u' || i FROM generate_series(1, 6) i;
		INSERT INTO follows (follower_id, followee_id) VALUES (1, 2), (1, 3), (1, 4), (2, 1), (4, 1), (5, 1), (3, 2);
		INSERT INTO blocks (blocker_id, blocked_id) VALUES (4, 1);
		CREATE VIEW some_follows AS SELECT follower_id AS who, followee_id AS whom, follower_id <> 4 AS counts FROM follows`)
	require.NoError(t, err)
	require.NoError(t, s.ClickHouse.Write(ctx, clickhouse.Query{Name: "test", Query: ch.Query{
		Body: `INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, version, is_deleted) VALUES
			(1, 'follow', 2, 'a', 0, 1, 0), (1, 'follow', 3, 'b', 0, 1, 0), (1, 'follow', 4, 'c', 0, 1, 0),
			(2, 'follow', 1, 'd', 0, 1, 0), (4, 'follow', 1, 'e', 0, 1, 0), (5, 'follow', 1, 'f', 0, 1, 0),
			(3, 'follow', 2, 'g', 0, 1, 0), (3, 'follow', 1, 'h', 0, 1, 0), (3, 'follow', 1, 'h', 0, 2, 1),
			(1, 'blocked_by', 4, 'i', 0, 1, 0), (3, 'mute', 1, 'j', 0, 1, 0)`,
	}}))
	tables := graph.DefaultTables()
	tables.Posts.Mutuals = true
	copies := graph.NewClickHouse(s.ClickHouse, core.CountedFromEvents(), core.SystemClock{}, 100, 100)
	want := []reserve.Author{
		{ID: 2, Relation: reserve.Follows},
		{ID: 3, Relation: reserve.Follows},
		{ID: 4, Relation: reserve.Follows},
		{ID: 4, Relation: reserve.BlockedBy},
	}
	edges, _, err := copies.Edges(ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, want, edges)
	want = append(want, reserve.Author{ID: 2, Relation: reserve.FollowsBack},
		reserve.Author{ID: 4, Relation: reserve.FollowsBack})
	edges, _, err = copies.WithMutuals(true).Edges(ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, want, edges)
	edges, err = graph.NewPostgres(s.Postgres, tables, 100, graph.Names{}).Edges(ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, want, edges)

	tables.Follows = graph.EdgeTable{Table: "some_follows", From: "who", To: "whom", When: `"some_follows"."counts"`}
	edges, err = graph.NewPostgres(s.Postgres, tables, 100, graph.Names{}).Edges(ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, want[:len(want)-1], edges, "as the mapping has it")
}

func TestGroupsOfViewersAndPostsAreTold(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	_, err := s.Postgres.Exec(ctx, `INSERT INTO users (id, name) SELECT i, 'u' || i FROM generate_series(1, 6) i;
		ALTER TABLE posts ADD club uuid, ADD closed boolean NOT NULL DEFAULT false;
		CREATE TABLE joined (who bigint, club uuid, accepted boolean NOT NULL DEFAULT true);
		INSERT INTO joined SELECT 1, lpad(i::text, 32, '0')::uuid, i < 3 FROM generate_series(1, 3) i;
		INSERT INTO follows (follower_id, followee_id) VALUES (1, 2);
		INSERT INTO posts (id, author_id, club, closed) SELECT i, 2, lpad(i::text, 32, '0')::uuid, i > 1 FROM generate_series(1, 3) i;
		INSERT INTO posts (id, author_id) VALUES (4, 2)`)
	require.NoError(t, err)
	tables := graph.DefaultTables()
	tables.Posts.Group, tables.Posts.Audience = "club", `(CASE WHEN "posts"."closed" THEN 5 ELSE 0 END)`
	tables.Members = graph.EdgeTable{Table: "joined", From: "who", To: "club", When: `"joined"."accepted"`}
	tables.Keys = core.KeyForms{Groups: core.UUIDKeys}
	var known []string
	app := graph.NewPostgres(s.Postgres, tables, 100, graph.Names{Learn: func(key string) (core.ID, error) {
		known = append(known, key)
		return core.ParseID(key)
	}})
	club := func(n int) core.ID {
		id, err := core.ParseID(fmt.Sprintf("00000000-0000-0000-0000-%012d", n))
		require.NoError(t, err)
		return id
	}
	edges, err := app.Edges(ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, []reserve.Author{
		{ID: 2, Relation: reserve.Follows},
		{ID: club(1), Relation: reserve.MemberOf},
		{ID: club(2), Relation: reserve.MemberOf},
	}, edges)
	require.NotEmpty(t, known)
	for name, read := range map[string]func() ([]core.Post, error){
		"timeline": func() ([]core.Post, error) { return app.Timeline(ctx, 1, 0, 0, 10) },
		"posts":    func() ([]core.Post, error) { return app.Posts(ctx, []core.ID{1, 2, 3, 4}) },
	} {
		posts, err := read()
		require.NoError(t, err)
		got := map[core.ID]core.Post{}
		for _, p := range posts {
			got[p.ID] = core.Post{Audience: p.Audience, Group: p.Group}
		}
		require.Equal(t, map[core.ID]core.Post{
			1: {Group: club(1)}, 2: {Audience: core.Members, Group: club(2)},
			3: {Audience: core.Members, Group: club(3)}, 4: {},
		}, got, name)
	}
	recent, err := app.Recent(ctx, 3, time.Now().Add(time.Minute), 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{1, 4}, ids(recent), "only what is public is for strangers")
}

func TestPostsThatTheAppHidesAreToldAndLeftOut(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	_, err := s.Postgres.Exec(ctx, `INSERT INTO users (id, name) SELECT i, 'u' || i FROM generate_series(1, 6) i;
		CREATE TABLE dismissed (who bigint, what bigint, undone boolean NOT NULL DEFAULT false);
		INSERT INTO posts (id, author_id) SELECT i, 2 FROM generate_series(1, 4) i;
		INSERT INTO follows (follower_id, followee_id) VALUES (1, 2), (4, 2);
		INSERT INTO dismissed VALUES (1, 2, false), (1, 3, true), (4, 4, false), (3, 1, false)`)
	require.NoError(t, err)
	for name, forms := range map[string]core.KeyForms{"integers": {}, "as text": {Groups: core.UUIDKeys}} {
		tables := graph.DefaultTables()
		tables.Keys = forms
		tables.Hides = graph.EdgeTable{Table: "dismissed", From: "who", To: "what", When: `NOT "dismissed"."undone"`}
		app := graph.NewPostgres(s.Postgres, tables, 100, graph.Names{})
		edges, err := app.Edges(ctx, 1)
		require.NoError(t, err, name)
		require.ElementsMatch(t, []reserve.Author{
			{ID: 2, Relation: reserve.Follows}, {ID: 2, Relation: reserve.HidPost},
		}, edges, name)
		timeline, err := app.Timeline(ctx, 1, 0, 0, 10)
		require.NoError(t, err, name)
		require.ElementsMatch(t, []core.ID{1, 3, 4}, ids(timeline), name)
		recent, err := app.Recent(ctx, 3, time.Now().Add(time.Minute), 10)
		require.NoError(t, err, name)
		require.ElementsMatch(t, []core.ID{2, 3, 4}, ids(recent), name)
	}
}

func TestTheQueriesRunOnAnAppWithItsOwnNames(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	_, err := s.Postgres.Exec(ctx, theirSchema)
	require.NoError(t, err)
	app := graph.NewPostgres(s.Postgres, graph.Tables{
		Posts: graph.PostTable{
			Table: "Social.article", ID: "article_id", Author: "writer", CreatedAt: "written",
			Visible: `"Social"."article"."state" = 1`,
		},
		Follows: graph.EdgeTable{Table: "Social.subscription", From: "who", To: "whom"},
		Blocks:  graph.EdgeTable{Table: "Social.ban", From: "who", To: "whom"},
	}, 100, graph.Names{})

	edges, err := app.Edges(ctx, 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []reserve.Author{
		{ID: 20, Relation: reserve.Follows},
		{ID: 30, Relation: reserve.Follows},
		{ID: 30, Relation: reserve.BlockedBy},
	}, edges)
	timeline, err := app.Timeline(ctx, 10, 0, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{1}, ids(timeline))
	recent, err := app.Recent(ctx, 10, time.Now(), 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{4, 1}, ids(recent))
	some, err := app.Posts(ctx, []core.ID{1, 2, 3, 99})
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{1, 3}, ids(some))
}

func ids(posts []core.Post) []core.ID {
	out := make([]core.ID, len(posts))
	for i, p := range posts {
		out[i] = p.ID
	}
	return out
}

func TestOddRowsAreLeftOutAndTimesMeanOneInstant(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	noon := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	for name, column := range map[string]struct{ typ, value, odd, unit, zone string }{
		"timestamptz": {"timestamptz", `to_timestamp(%d)`, `('-infinity'), ('infinity'), (NULL)`, "", ""},
		"timestamp(3)": {
			"timestamp(3)", `to_timestamp(%d) AT TIME ZONE 'UTC'`, `('-infinity'), ('infinity'), (NULL)`,
			"ms", "",
		},
		"local": {
			"timestamp", `to_timestamp(%d) AT TIME ZONE 'Asia/Tokyo'`,
			`('-infinity'), ('infinity'), (NULL)`, "", "Asia/Tokyo",
		},
		"milliseconds": {
			"bigint", `%d * 1000::bigint`, `(9223372036854775807), (-9223372036854775808), (NULL)`, "ms",
			"",
		},
		"seconds": {"bigint", `%d`, `(9223372036854775807), (-9223372036854775808), (NULL)`, "s", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Postgres.Exec(ctx, `DROP SCHEMA IF EXISTS odd CASCADE; CREATE SCHEMA odd; CREATE TABLE odd.follows (a bigint, b bigint); INSERT INTO odd.follows VALUES (10, 20);
				CREATE TABLE odd.posts (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, author bigint DEFAULT 20, at `+column.typ+`);
				INSERT INTO odd.posts (id, at) VALUES (101, `+fmt.Sprintf(column.value, noon.Unix())+`), (102, `+fmt.Sprintf(column.value, noon.Unix()-3600)+`);
				INSERT INTO odd.posts (at) VALUES `+column.odd+`; INSERT INTO odd.posts (id, author, at) VALUES (103, NULL, NULL)`)
			require.NoError(t, err)
			app := graph.NewPostgres(s.Postgres, graph.Tables{
				Posts: graph.PostTable{
					Table: "odd.posts", ID: "id", Author: "author", CreatedAt: "at",
					TimeUnit: column.unit, Zone: column.zone,
				},
				Follows: graph.EdgeTable{Table: "odd.follows", From: "a", To: "b"},
			}, 100, graph.Names{})
			timeline, err := app.Timeline(ctx, 10, 0, 0, 10)
			require.NoError(t, err)
			require.Equal(t, []core.ID{101, 102}, ids(timeline))
			require.Equal(t, noon, timeline[0].CreatedAt)
			next, err := app.Timeline(ctx, 10, noon.UnixMicro(), 101, 10)
			require.NoError(t, err)
			require.Equal(t, []core.ID{102}, ids(next), "after the cursor")
			some, err := app.Posts(ctx, []core.ID{1, 2, 3, 101, 103})
			require.NoError(t, err)
			require.Equal(t, []core.ID{101}, ids(some))
			recent, err := app.Recent(ctx, 10, time.Now(), 10)
			require.NoError(t, err)
			require.ElementsMatch(t, []core.ID{101, 102}, ids(recent))
			require.Positive(t, app.Odd())
		})
	}
}
