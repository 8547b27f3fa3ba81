package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

// keyedExample is an app of sql/postgres/example whose keys are no integers.
type keyedExample struct {
	name string
	fill []string
	// posts gives the key and the time of each post that $1 may see, and whether they follow its author, by plain SQL.
	posts string
	// key of the n-th user
	user string
	// hide takes the posts of the second user away, and back.
	hide, show string
}

var keyedExamples = []keyedExample{
	{
		name: "supabase_like", user: "u",
		fill: []string{
			`CREATE FUNCTION u(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(to_hex(n * 7919), 8, '0') || '-5a1e-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
			`INSERT INTO auth.users (id) SELECT u(i) FROM generate_series(1, 12) i`,
			`INSERT INTO profiles (id, username, is_private, banned_at) SELECT u(i), 'u' || i, i IN (3, 9), CASE WHEN i IN (4, 8) THEN now() END FROM generate_series(1, 12) i`,
			`INSERT INTO follows (follower_id, following_id) SELECT u(1), u(i) FROM generate_series(2, 6) i`,
			`INSERT INTO follows (follower_id, following_id) VALUES (u(11), u(3))`,
			`INSERT INTO blocks (blocker_id, blocked_id) VALUES (u(5), u(1)), (u(11), u(7))`,
			`INSERT INTO mutes (muter_id, muted_id) VALUES (u(1), u(6))`,
			`INSERT INTO posts (id, author_id, content, visibility, created_at, deleted_at)
				SELECT u(1000 + i), u(2 + i % 9), 'p', (ARRAY['public', 'public', 'unlisted', 'followers', 'private'])[1 + i % 5],
					date_trunc('minute', now()) - i / 6 * interval '1 minute', CASE WHEN i % 10 = 3 THEN now() END FROM generate_series(1, 80) i`,
		},
		posts: `SELECT p.id::text AS key, p.created_at AS at, f.follower_id IS NOT NULL AS followed
			FROM posts p JOIN profiles a ON a.id = p.author_id
			LEFT JOIN follows f ON f.follower_id = $1 AND f.following_id = p.author_id
			WHERE p.deleted_at IS NULL AND a.banned_at IS NULL AND p.author_id <> $1
				AND NOT EXISTS (SELECT FROM blocks b WHERE (b.blocker_id, b.blocked_id) IN (($1, p.author_id), (p.author_id, $1)))
				AND NOT EXISTS (SELECT FROM mutes m WHERE m.muter_id = $1 AND m.muted_id = p.author_id)
				AND (p.visibility = 'public' AND NOT a.is_private OR p.visibility IN ('public', 'unlisted', 'followers') AND f.follower_id IS NOT NULL)`,
		hide: `UPDATE profiles SET banned_at = now() WHERE id = u(2)`, show: `UPDATE profiles SET banned_at = NULL WHERE id = u(2)`,
	},
	{
		name: "prisma_like", user: "k",
		fill: []string{
			`CREATE FUNCTION k(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'ckv' || substr(md5(n::text), 1, 22) $$`,
			`INSERT INTO "User" (id, name, "isPrivate", "deletedAt") SELECT k(i), 'u' || i, i IN (3, 9), CASE WHEN i IN (4, 8) THEN now() END FROM generate_series(1, 12) i`,
			`INSERT INTO "Follow" ("followerId", "followingId") SELECT k(1), k(i) FROM generate_series(2, 6) i`,
			`INSERT INTO "Follow" ("followerId", "followingId") VALUES (k(11), k(3))`,
			`INSERT INTO "Block" ("blockerId", "blockedId") VALUES (k(5), k(1)), (k(11), k(7))`,
			`INSERT INTO "Post" (id, title, "authorId", published, visibility, "createdAt")
				SELECT k(1000 + i), 'p', k(2 + i % 9), i % 10 <> 3, (ARRAY['PUBLIC', 'PUBLIC', 'FOLLOWERS'])[1 + i % 3]::"Visibility",
					date_trunc('minute', now() AT TIME ZONE 'UTC') - i / 6 * interval '1 minute' FROM generate_series(1, 80) i`,
		},
		posts: `SELECT p.id AS key, p."createdAt" AT TIME ZONE 'UTC' AS at, f."followerId" IS NOT NULL AS followed
			FROM "Post" p JOIN "User" a ON a.id = p."authorId"
			LEFT JOIN "Follow" f ON f."followerId" = $1 AND f."followingId" = p."authorId"
			WHERE p.published AND a."deletedAt" IS NULL AND p."authorId" <> $1
				AND NOT EXISTS (SELECT FROM "Block" b WHERE (b."blockerId", b."blockedId") IN (($1, p."authorId"), (p."authorId", $1)))
				AND (p.visibility = 'PUBLIC' AND NOT a."isPrivate" OR f."followerId" IS NOT NULL)`,
		hide: `UPDATE "User" SET "deletedAt" = now() WHERE id = k(2)`, show: `UPDATE "User" SET "deletedAt" = NULL WHERE id = k(2)`,
	},
}

// keyedPage is a page whose keys are any text.
type keyedPage struct {
	Items []struct {
		Post   string `json:"post"`
		Author string `json:"author"`
	} `json:"items"`
	NextCursor string `json:"next_cursor"`
	ServedFrom string `json:"served_from"`
}

func (p *program) keyedFeed(user, query string) (out keyedPage) {
	p.t.Helper()
	key, err := core.ParseKey(user)
	require.NoError(p.t, err)
	token, err := auth.SignUser(p.cfg.Auth, key, false, time.Hour, time.Now())
	require.NoError(p.t, err)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.url+"/api/v1/feed?"+query,
		http.NoBody)
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	require.Equal(p.t, http.StatusOK, response.StatusCode, string(text))
	require.NoError(p.t, json.Unmarshal(text, &out), string(text))
	return out
}

// walk is a timeline, page by page.
func (p *program) walk(user string) (keys []string) {
	p.t.Helper()
	cursor := ""
	for range 40 {
		now := p.keyedFeed(user, "algo=timeline&limit=5&cursor="+cursor)
		for _, item := range now.Items {
			keys = append(keys, item.Post)
		}
		if cursor = now.NextCursor; cursor == "" {
			break
		}
	}
	return keys
}

// TestExamplesWithKeysOfTheirOwnShowWhatMayBeSeen fills the tables of apps whose keys are UUIDs and texts, and compares
// feeds and timelines with what plain SQL says that each viewer may see: from ClickHouse, and with ClickHouse away by a
// process that knows nothing but what PostgreSQL says.
func TestExamplesWithKeysOfTheirOwnShowWhatMayBeSeen(t *testing.T) {
	for _, app := range keyedExamples {
		t.Run(app.name, func(t *testing.T) { app.shows(t) })
	}
}

func (app keyedExample) shows(t *testing.T) {
	s := stack.Own(t)
	const examples = "../../sql/postgres/example/"
	statements, err := os.ReadFile(filepath.Join(examples, app.name+".sql"))
	require.NoError(t, err)
	exec(t, s, `DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`)
	for _, statement := range append([]string{string(statements)}, app.fill...) {
		exec(t, s, statement)
	}
	file, err := config.Load(config.Sources{File: examples + app.name + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	cfg := settings(t, s, "all")
	cfg.Keys, cfg.CDC.Tables = file.Keys, file.CDC.Tables
	p := start(t, cfg)

	var users []string
	for _, n := range []int{1, 11, 12} { // who follows some, who follows a private account, who follows nobody
		var key string
		require.NoError(t, s.Postgres.QueryRow(t.Context(), `SELECT `+app.user+`($1)::text`, n).Scan(&key))
		users = append(users, key)
	}
	look := func(p *program, why string, feeds bool) {
		t.Helper()
		for i, user := range users {
			seen, followed := app.reference(t, s, user)
			require.NotEmpty(t, seen)
			require.Equal(t, i < 2, len(followed) > 0)
			if feeds {
				p.eventually(why+": the feed has what may be seen, and nothing else", func() bool {
					return slices.Equal(slices.Sorted(slices.Values(postsOf(p.keyedFeed(user, "limit=100")))), seen)
				})
			} else {
				p.eventually(why+": the feed has nothing that may not be seen", func() bool {
					shown := postsOf(p.keyedFeed(user, "limit=100"))
					return len(shown) > 0 &&
						!slices.ContainsFunc(shown, func(key string) bool { return !slices.Contains(seen, key) })
				})
			}
			if len(followed) > 0 {
				p.eventually(why+": the timeline has what they post whom the viewer follows, in order", func() bool {
					return slices.Equal(p.walk(user), followed)
				})
			}
		}
	}
	look(p, "at first", true)
	exec(t, s, app.hide)
	look(p, "an author is gone", true)
	exec(t, s, app.show)
	look(p, "and is back", true)

	require.NoError(t, s.Servers.ClickHouse.Kill())
	cfg.Roles = []string{"api"}
	fresh := running(t, cfg)
	for _, one := range []*program{p, fresh} {
		look(one, "ClickHouse away", false)
	}
	exec(t, s, app.hide)
	look(fresh, "ClickHouse away, an author is gone", false)
	exec(t, s, app.show)
	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	look(p, "ClickHouse is back", true)
}

func postsOf(p keyedPage) (keys []string) {
	for _, item := range p.Items {
		keys = append(keys, item.Post)
	}
	return keys
}

// reference are the keys of the posts that a user may see, sorted, and of those of whom they follow the latest first.
func (app keyedExample) reference(t *testing.T, s *stack.Stack, user string) (seen, followed []string) {
	t.Helper()
	rows, err := s.Postgres.Query(t.Context(), `SELECT key, followed FROM (`+app.posts+`) AS posts ORDER BY at DESC, `+
		sql.KeyNumber("key")+` DESC`, user)
	require.NoError(t, err)
	var key string
	var follows bool
	_, err = pgx.ForEachRow(rows, []any{&key, &follows}, func() error {
		seen = append(seen, key)
		if follows {
			followed = append(followed, key)
		}
		return nil
	})
	require.NoError(t, err)
	slices.Sort(seen)
	return seen, followed
}
