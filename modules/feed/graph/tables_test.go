package graph_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
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

func TestTheQueriesRunOnAnAppWithItsOwnNames(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	_, err := s.Postgres.Exec(ctx, theirSchema)
	require.NoError(t, err)
	app := graph.NewPostgres(s.Postgres, graph.Tables{
		Posts: graph.PostTable{
			Table: "Social.article", ID: "article_id", Author: "writer", CreatedAt: "written", Visible: `"Social"."article"."state" = 1`,
		},
		Follows: graph.EdgeTable{Table: "Social.subscription", From: "who", To: "whom"},
		Blocks:  graph.EdgeTable{Table: "Social.ban", From: "who", To: "whom"},
	}, 100)

	edges, err := app.Edges(ctx, 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []reserve.Author{{ID: 20, Relation: reserve.Follows}, {ID: 30, Relation: reserve.Follows}, {ID: 30, Relation: reserve.BlockedBy}}, edges)
	timeline, err := app.Timeline(ctx, 10, 0, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{1}, ids(timeline))
	recent, err := app.Recent(ctx, 10, 10)
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
