package app

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/test/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// fallback is what the feed reads of an app with the schema of that name, once statements ran in it.
func fallback(t *testing.T, name string, statements ...string) *graph.Postgres {
	t.Helper()
	return changedFallback(t, name, func(*mapping.Config) {}, statements...)
}

// changedFallback reads it by another mapping than that of the example.
func changedFallback(t *testing.T, name string, change func(*mapping.Config), statements ...string) *graph.Postgres {
	t.Helper()
	const examples = "../sql/postgres/example/"
	s := stack.New(t)
	schema, err := os.ReadFile(examples + name + ".sql")
	require.NoError(t, err)
	for _, statement := range append([]string{`DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`, string(schema)}, statements...) {
		_, err := s.Postgres.Exec(context.Background(), statement)
		require.NoError(t, err, statement)
	}
	cfg, err := config.Load(config.Sources{File: examples + name + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	change(&cfg.CDC.Tables)
	return graph.NewPostgres(s.Postgres, tablesOf(cfg.CDC.Tables), 100, graph.Names{})
}

func TestTheFallbackTellsBlocksFromMutesInOneTable(t *testing.T) {
	app := fallback(t, "discourse_like",
		`INSERT INTO forum.user_follows (user_id, followed_id) VALUES (1, 2), (1, 3), (1, 4), (1, 5), (1, 6)`,
		`INSERT INTO forum.user_relations (user_id, other_id, relation) VALUES (1, 2, 'ignored'), (1, 3, 'muted'), (4, 1, 'ignored'), (5, 1, 'muted'), (1, 6, 'watched')`,
		`INSERT INTO forum.posts (id, user_id, topic_id, post_number, raw, hidden) SELECT 10 * i + n, i, i, n, 'p', i = 6 AND n = 1 FROM generate_series(2, 6) i, generate_series(1, 2) n`,
		`INSERT INTO forum.posts (id, user_id, topic_id, post_number, raw) VALUES (71, 6, 7, 1, 'shown')`,
	)
	edges, err := app.Edges(t.Context(), 1)
	require.NoError(t, err)
	require.ElementsMatch(t, []reserve.Author{
		{ID: 2, Relation: reserve.Follows},
		{ID: 3, Relation: reserve.Follows},
		{ID: 4, Relation: reserve.Follows},
		{ID: 5, Relation: reserve.Follows},
		{ID: 6, Relation: reserve.Follows},
		{ID: 2, Relation: reserve.Blocks},
		{ID: 3, Relation: reserve.Mutes},
		{ID: 4, Relation: reserve.BlockedBy},
	}, edges)
	timeline, err := app.Timeline(t.Context(), 1, 0, 0, 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{51, 71}, ids(timeline),
		"of those who mute us, but not of those who block us; no replies, nothing hidden")
	recent, err := app.Recent(t.Context(), 1, time.Now().Add(time.Minute), 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{51, 71}, ids(recent))
}

func TestTheFallbackReadsASchemaInTheMannerOfMastodon(t *testing.T) {
	app := fallback(t, "mastodon_like",
		`INSERT INTO accounts (id, username) SELECT i, 'a' || i FROM generate_series(1, 6) i`,
		`INSERT INTO statuses (id, account_id, text, visibility) SELECT 10 + i, i, 's', i % 4 FROM generate_series(1, 6) i`,
		`INSERT INTO follows (account_id, target_account_id) VALUES (1, 2), (1, 4), (1, 5)`,
		`INSERT INTO blocks (account_id, target_account_id) VALUES (4, 1)`,
		`UPDATE accounts SET suspended_at = now() WHERE id IN (3, 6)`,
	)
	edges, err := app.Edges(t.Context(), 1)
	require.NoError(t, err)
	require.ElementsMatch(t, []reserve.Author{
		{ID: 2, Relation: reserve.Follows},
		{ID: 4, Relation: reserve.Follows},
		{ID: 5, Relation: reserve.Follows},
		{ID: 4, Relation: reserve.BlockedBy},
	}, edges)
	timeline, err := app.Timeline(t.Context(), 1, 0, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []core.ID{15, 12}, ids(timeline), "4 blocks us")
	require.Equal(t, []core.Audience{core.Unlisted, core.Followers},
		[]core.Audience{timeline[0].Audience, timeline[1].Audience})
	recent, err := app.Recent(t.Context(), 1, time.Now().Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, recent, "only what is public is for strangers, and 4 blocks us")
	absent, err := app.Absent(t.Context(), 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{3, 6}, absent, "who is suspended")
}

func TestTheFallbackReadsWhoOptedOutAsTheMappingDoes(t *testing.T) {
	people := []string{
		`ALTER TABLE accounts ALTER discoverable DROP DEFAULT, ALTER discoverable TYPE text`,
		`INSERT INTO accounts (id, username, discoverable) VALUES (1, 'a', 'true'), (2, 'b', 'false'), (3, 'c', NULL), (4, 'd', 'perhaps')`,
	}
	optedOut, err := fallback(t, "mastodon_like", people...).OptedOut(t.Context(), 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []core.ID{2, 3, 4}, optedOut, "and of whom it cannot be told")
	app := changedFallback(t, "mastodon_like", func(m *mapping.Config) { m.User.NoDiscoveryWhen = nil }, people...)
	optedOut, err = app.OptedOut(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, optedOut, "no condition says so")
}

func ids(posts []core.Post) []core.ID {
	out := make([]core.ID, len(posts))
	for i, p := range posts {
		out[i] = p.ID
	}
	return out
}
