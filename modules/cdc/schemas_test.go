package cdc_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

const examples = "../../sql/postgres/example/"

// withSchema replaces the example app's tables by those of another, and the mapping by its own.
func withSchema(t *testing.T, name string) *chain {
	t.Helper()
	c := newChain(t)
	statements, err := os.ReadFile(examples + name + ".sql")
	require.NoError(t, err)
	c.exec(`DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`, string(statements))
	cfg, err := config.Load(config.Sources{File: examples + name + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	c.cfg.Tables = cfg.CDC.Tables
	require.NoError(t, schema.CheckTables(t.Context(), c.Postgres, c.cfg.Tables, core.SystemClock{}.Now()))
	return c
}

// requireCopies waits until each copy gives the same lines as its query of the app's tables.
func (c *chain) requireCopies(originals map[string]string) {
	c.t.Helper()
	for table, query := range originals {
		var want, got []string
		wait.Until(c.t, func() bool {
			var err1, err2 error
			want, err1 = tables.Originals(c.t.Context(), c.Postgres, query)
			got, err2 = tables.Copies(c.t.Context(), c.ClickHouse, tables.Copied[table])
			return err1 == nil && err2 == nil && fmt.Sprint(want) == fmt.Sprint(got)
		}, "%s: want %v, got %v", table, want, got)
		require.NotEmpty(c.t, want, "%s: nothing was compared", table)
	}
}

const micros = `(extract(epoch FROM created_at) * 1000000)::bigint`

func TestASchemaInTheMannerOfMastodonIsCopied(t *testing.T) {
	c := withSchema(t, "mastodon_like")
	c.exec(
		`INSERT INTO accounts (id, username) SELECT i, 'a' || i FROM generate_series(1, 20) i`,
		`INSERT INTO statuses (id, account_id, text, visibility) SELECT i, 1 + i % 20, 's' || i, i % 4 FROM generate_series(100, 160) i`,
		`INSERT INTO statuses (id, account_id, text, in_reply_to_id) SELECT i + 1000, 1 + i % 20, 'r' || i, i FROM generate_series(100, 120) i`,
		`INSERT INTO follows (account_id, target_account_id) SELECT i, i % 20 + 1 FROM generate_series(1, 20) i`,
	)
	c.start()
	c.exec(
		`INSERT INTO blocks (account_id, target_account_id) SELECT i, i % 20 + 2 FROM generate_series(1, 9) i`,
		`INSERT INTO mutes (account_id, target_account_id) VALUES (1, 2), (3, 4)`,
		`INSERT INTO favourites (account_id, status_id) SELECT i, 100 + i FROM generate_series(1, 20) i`,
		`UPDATE statuses SET deleted_at = now() WHERE id IN (104, 1105)`,
		`DELETE FROM follows WHERE account_id < 5`, // tells a surrogate id only
		`DELETE FROM blocks WHERE account_id = 2`,
		`UPDATE follows SET target_account_id = 3 WHERE account_id = 10`,
		`DELETE FROM mutes WHERE account_id = 1`,
		`UPDATE accounts SET suspended_at = now() WHERE id IN (5, 6, 7)`,
		`UPDATE accounts SET suspended_at = NULL WHERE id = 6`,
		`UPDATE accounts SET discoverable = false WHERE id IN (6, 8, 9)`,
		`UPDATE accounts SET discoverable = NULL WHERE id = 10`,
		`UPDATE accounts SET discoverable = true WHERE id = 9`,
		`DELETE FROM favourites WHERE account_id % 2 = 0`,
		`UPDATE statuses SET in_reply_to_id = 100 WHERE id = 130`, // a post becomes a reply
	)
	c.requireCopies(map[string]string{
		"users": `SELECT concat_ws('|', id, (suspended_at IS NOT NULL)::int, (discoverable IS NOT TRUE)::int * 2, ` + micros +
			`) FROM accounts`,
		"posts": `SELECT concat_ws('|', id, account_id, (deleted_at IS NOT NULL)::int,
			CASE visibility WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 4 END, ` + micros +
			`) FROM statuses WHERE in_reply_to_id IS NULL`,
		"comments": `SELECT concat_ws('|', id, in_reply_to_id, account_id, ` + micros +
			`) FROM statuses WHERE in_reply_to_id IS NOT NULL AND deleted_at IS NULL`,
		"follows": `SELECT concat_ws('|', account_id, target_account_id, ` + micros + `) FROM follows`,
		"likes":   `SELECT concat_ws('|', account_id, status_id, ` + micros + `) FROM favourites`,
		"blocks": `SELECT concat_ws('|', 'block', account_id, target_account_id, ` + micros + `) FROM blocks
		           UNION ALL SELECT concat_ws('|', 'mute', account_id, target_account_id, ` + micros + `) FROM mutes`,
		"viewer_edges": `SELECT concat_ws('|', account_id, 'follow', target_account_id) FROM follows
		           UNION ALL SELECT concat_ws('|', account_id, 'block', target_account_id) FROM blocks
		           UNION ALL SELECT concat_ws('|', target_account_id, 'blocked_by', account_id) FROM blocks
		           UNION ALL SELECT concat_ws('|', account_id, 'mute', target_account_id) FROM mutes`,
	})
	require.Empty(t, c.letters.list())
}

func TestASchemaInTheMannerOfDiscourseIsCopied(t *testing.T) {
	c := withSchema(t, "discourse_like")
	c.exec(
		`INSERT INTO forum.users (id, username) SELECT i, 'u' || i FROM generate_series(1, 20) i`,
		`INSERT INTO forum.posts (id, user_id, topic_id, post_number, raw, hidden) SELECT i, 1 + i % 20, i / 4 + 1, 1 + i % 4, 'p' || i, i % 8 = 0 FROM generate_series(4, 120) i`,
		`INSERT INTO forum.user_follows (user_id, followed_id, since) SELECT i, i % 20 + 1, '2026-01-01'::date + i FROM generate_series(1, 20) i`,
	)
	c.start()
	c.exec(
		`INSERT INTO forum.post_actions (post_id, user_id, post_action_type_id) SELECT 4 * i, i, 2 + i % 2 FROM generate_series(1, 20) i`,
		`UPDATE forum.post_actions SET deleted_at = now() WHERE user_id = 4`,
		`UPDATE forum.post_actions SET post_action_type_id = 2 WHERE user_id = 5`,
		`UPDATE forum.post_actions SET post_action_type_id = 3 WHERE user_id = 6`,
		`INSERT INTO forum.user_relations (user_id, other_id, relation) SELECT i, i % 20 + 1, CASE WHEN i % 3 = 0 THEN 'muted' ELSE 'ignored' END FROM generate_series(1, 12) i`,
		`UPDATE forum.user_relations SET relation = 'muted' WHERE user_id = 4`, // one kind becomes another
		`DELETE FROM forum.user_relations WHERE user_id = 1`,
		`UPDATE forum.posts SET deleted_at = now() WHERE id IN (8, 9)`,
		`UPDATE forum.posts SET user_id = NULL WHERE id = 12`,
		`DELETE FROM forum.user_follows WHERE user_id = 3`,
	)
	const constant = `1577836800000000`
	c.requireCopies(map[string]string{
		"users": `SELECT concat_ws('|', id, 0, 0, ` + micros + `) FROM forum.users`,
		"posts": `SELECT concat_ws('|', id, COALESCE(user_id, 0), (hidden OR deleted_at IS NOT NULL)::int, 0, ` +
			micros + `) FROM forum.posts WHERE post_number = 1`,
		"comments": `SELECT concat_ws('|', id, topic_id, COALESCE(user_id, 0), ` + micros +
			`) FROM forum.posts WHERE post_number <> 1 AND NOT hidden AND deleted_at IS NULL`,
		"follows": `SELECT concat_ws('|', user_id, followed_id, extract(epoch FROM since)::bigint * 1000000) FROM forum.user_follows`,
		"likes": `SELECT concat_ws('|', user_id, post_id, ` + micros +
			`) FROM forum.post_actions WHERE post_action_type_id = 2 AND deleted_at IS NULL`,
		"blocks": `SELECT concat_ws('|', CASE relation WHEN 'muted' THEN 'mute' ELSE 'block' END, user_id, other_id, ` +
			constant + `) FROM forum.user_relations`,
		"viewer_edges": `SELECT concat_ws('|', user_id, 'follow', followed_id) FROM forum.user_follows
		           UNION ALL SELECT concat_ws('|', user_id, CASE relation WHEN 'muted' THEN 'mute' ELSE 'block' END, other_id) FROM forum.user_relations
		           UNION ALL SELECT concat_ws('|', other_id, 'blocked_by', user_id) FROM forum.user_relations WHERE relation = 'ignored'`,
	})
	require.Empty(t, c.letters.list())
}

func TestAWrongTableOrColumnIsNamedWithItsNearestNeighbour(t *testing.T) {
	c := newChain(t)
	require.NoError(t, schema.CheckTables(t.Context(), c.Postgres, mapping.Default(), core.SystemClock{}.Now()))
	m := mapping.Default()
	m.User.Table = "public.user"
	m.Post.Columns["author_id"] = "autor_id"
	m.Post.HiddenWhen = []mapping.Condition{{Column: "deleted", Is: "set"}}
	m.Like.Columns["created_at"] = "zzzzzzzzzz"
	m.Comment.Table = "public.unkeyed"
	c.exec(`CREATE TABLE public.unkeyed AS SELECT * FROM comments`)
	err := schema.CheckTables(t.Context(), c.Postgres, m, core.SystemClock{}.Now())
	var mismatch *schema.Mismatch
	require.ErrorAs(t, err, &mismatch)
	for _, want := range []string{
		"cdc.tables.user.table: there is no table public.user: did you mean public.users?",
		"cdc.tables.post.columns.author_id: table public.posts has no column autor_id: did you mean author_id?",
		"cdc.tables.post.hidden_when[0].column: table public.posts has no column deleted: did you mean deleted_at?",
		"cdc.tables.like.columns.created_at: table public.likes has no column zzzzzzzzzz\n",
		"cdc.tables.comment.table: public.unkeyed has no primary key",
	} {
		require.Contains(t, err.Error()+"\n", want)
	}
}

func TestMappedSecretsAndCountsFromElsewhereAreWarnedOf(t *testing.T) {
	m := mapping.Default()
	require.Empty(t, schema.SecretColumns(m))
	for column, secret := range map[string]bool{
		"password_hash": true, "encryptedPassword": true, "reset_token": true, "client_secret": true, "pwhash": true,
		"hash": true, "salt": true,
		"hashtag": false, "display_name": false, "author": false, "saltiness": false, "rehashed_at": false,
	} {
		m.User.Columns["created_at"] = column
		require.Equal(t, secret, len(schema.SecretColumns(m)) == 1, column)
	}
	c := newChain(t)
	counted := core.CountedFromEvents()
	warnings, err := schema.CheckCounted(t.Context(), c.Postgres, mapping.Default(), counted)
	require.NoError(t, err)
	require.Empty(t, warnings)
	c.exec(world(10))
	warnings, err = schema.CheckCounted(t.Context(), c.Postgres, mapping.Default(), counted)
	require.NoError(t, err)
	require.Len(t, warnings, 2)
	require.Contains(t, warnings[0], "the 10 rows of public.likes count as none: set engagement.likes_from=cdc")
	counted.Likes, counted.Comments = "cdc", "cdc"
	warnings, err = schema.CheckCounted(t.Context(), c.Postgres, mapping.Default(), counted)
	require.NoError(t, err)
	require.Empty(t, warnings)
	c.exec(`TRUNCATE likes`)
	warnings, err = schema.CheckCounted(t.Context(), c.Postgres, mapping.Default(), counted)
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "public.likes is empty")
}
