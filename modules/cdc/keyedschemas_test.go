package cdc_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/sql"
)

func TestASchemaInTheMannerOfSupabaseIsCopied(t *testing.T) {
	c := withSchema(t, "supabase_like")
	c.exec(
		`CREATE FUNCTION u(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
		`INSERT INTO auth.users (id) SELECT u(i) FROM generate_series(1, 20) i`,
		`INSERT INTO profiles (id, username) SELECT u(i), 'u' || i FROM generate_series(1, 20) i`,
		`INSERT INTO posts (id, author_id, content, visibility) SELECT u(i), u(1 + i % 20), 'p', (ARRAY['public', 'unlisted', 'followers', 'private'])[1 + i % 4] FROM generate_series(100, 160) i`,
		`INSERT INTO follows (follower_id, following_id) SELECT u(i), u(i % 20 + 1) FROM generate_series(1, 20) i`,
	)
	c.start()
	c.exec(
		`INSERT INTO comments (post_id, author_id, content) SELECT u(100 + i), u(i), 'c' FROM generate_series(1, 20) i`,
		`INSERT INTO likes (user_id, post_id) SELECT u(i), u(100 + i) FROM generate_series(1, 20) i`,
		`INSERT INTO blocks (blocker_id, blocked_id) SELECT u(i), u(i % 20 + 2) FROM generate_series(1, 9) i`,
		`INSERT INTO mutes (muter_id, muted_id) VALUES (u(1), u(2)), (u(3), u(4))`,
		`UPDATE posts SET deleted_at = now() WHERE id IN (u(104), u(105))`,
		`UPDATE profiles SET banned_at = now() WHERE id IN (u(5), u(6))`,
		`UPDATE profiles SET banned_at = NULL, is_private = true WHERE id = u(6)`,
		`DELETE FROM follows WHERE follower_id IN (u(1), u(2))`, // tells the pair
		`DELETE FROM blocks WHERE blocker_id = u(2)`,
		`DELETE FROM likes WHERE user_id = u(4)`,
		`UPDATE follows SET following_id = u(3) WHERE follower_id = u(10)`, // another key
		`DELETE FROM comments WHERE author_id = u(7)`,
		`DELETE FROM auth.users WHERE id = u(20)`, // takes all of theirs with it
	)
	c.requireCopies(keyedCopies(map[string]string{
		"users": "SELECT concat_ws('|', #(id), (banned_at IS NOT NULL)::int, is_private::int, " + micros + ") FROM profiles",
		"posts": `SELECT concat_ws('|', #(id), #(author_id), (deleted_at IS NOT NULL)::int,
			CASE visibility WHEN 'public' THEN 0 WHEN 'unlisted' THEN 1 WHEN 'followers' THEN 2 ELSE 4 END, ` + micros + `) FROM posts`,
		"comments": "SELECT concat_ws('|', id, #(post_id), #(author_id), " + micros + ") FROM comments",
		"follows":  "SELECT concat_ws('|', #(follower_id), #(following_id), " + micros + ") FROM follows",
		"likes":    "SELECT concat_ws('|', #(user_id), #(post_id), " + micros + ") FROM likes",
		"blocks": "SELECT concat_ws('|', 'block', #(blocker_id), #(blocked_id), " + micros + `) FROM blocks
			UNION ALL SELECT concat_ws('|', 'mute', #(muter_id), #(muted_id), ` + micros + `) FROM mutes`,
		"viewer_edges": `SELECT concat_ws('|', #(follower_id), 'follow', #(following_id)) FROM follows
			UNION ALL SELECT concat_ws('|', #(blocker_id), 'block', #(blocked_id)) FROM blocks
			UNION ALL SELECT concat_ws('|', #(blocked_id), 'blocked_by', #(blocker_id)) FROM blocks
			UNION ALL SELECT concat_ws('|', #(muter_id), 'mute', #(muted_id)) FROM mutes`,
	}))
	require.Empty(t, c.letters.list())
}

func TestASchemaAsPrismaMakesItIsCopied(t *testing.T) {
	c := withSchema(t, "prisma_like")
	c.exec(
		`CREATE FUNCTION k(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'ckv' || lpad(n::text, 20, '0') $$`,
		`INSERT INTO "User" (id, name) SELECT k(i), 'u' || i FROM generate_series(1, 20) i`,
		`INSERT INTO "Post" (id, title, "authorId", published, visibility) SELECT k(i), 'p', k(1 + i % 20), i % 5 > 0, CASE WHEN i % 4 = 0 THEN 'FOLLOWERS' ELSE 'PUBLIC' END::"Visibility" FROM generate_series(100, 160) i`,
		`INSERT INTO "Follow" ("followerId", "followingId") SELECT k(i), k(i % 20 + 1) FROM generate_series(1, 20) i`,
	)
	c.start()
	c.exec(
		`INSERT INTO "Comment" (id, body, "postId", "authorId") SELECT 'c' || i, 'c', k(100 + i), k(i) FROM generate_series(1, 20) i`,
		`INSERT INTO "Like" (id, "postId", "userId") SELECT 'l' || i, k(100 + i), k(i) FROM generate_series(1, 20) i`,
		`INSERT INTO "Block" ("blockerId", "blockedId") SELECT k(i), k(i % 20 + 2) FROM generate_series(1, 9) i`,
		`UPDATE "Post" SET published = true WHERE id = k(105)`,
		`UPDATE "User" SET "deletedAt" = now() WHERE id IN (k(5), k(6))`,
		`UPDATE "User" SET "isPrivate" = true WHERE id = k(7)`,
		`DELETE FROM "Like" WHERE "userId" = k(4)`, // tells a key of its own
		`DELETE FROM "Follow" WHERE "followerId" = k(1)`,
	)
	c.requireCopies(keyedCopies(map[string]string{
		"users": `SELECT concat_ws('|', #(id), 0, "isPrivate"::int, ` + prismaMicros + `) FROM "User" WHERE "deletedAt" IS NULL`,
		"posts": `SELECT concat_ws('|', #(id), #("authorId"), (NOT published)::int, CASE visibility WHEN 'FOLLOWERS' THEN 2 ELSE 0 END, ` +
			prismaMicros + `) FROM "Post"`,
		"comments": `SELECT concat_ws('|', id, #("postId"), #("authorId"), ` + prismaMicros + `) FROM "Comment"`,
		"follows":  `SELECT concat_ws('|', #("followerId"), #("followingId"), ` + prismaMicros + `) FROM "Follow"`,
		"likes":    `SELECT concat_ws('|', #("userId"), #("postId"), ` + prismaMicros + `) FROM "Like"`,
		"blocks":   `SELECT concat_ws('|', 'block', #("blockerId"), #("blockedId"), ` + prismaMicros + `) FROM "Block"`,
		"viewer_edges": `SELECT concat_ws('|', #("followerId"), 'follow', #("followingId")) FROM "Follow"
			UNION ALL SELECT concat_ws('|', #("blockerId"), 'block', #("blockedId")) FROM "Block"
			UNION ALL SELECT concat_ws('|', #("blockedId"), 'blocked_by', #("blockerId")) FROM "Block"`,
	}))
	require.Empty(t, c.letters.list())
}

const prismaMicros = `(extract(epoch FROM "createdAt") * 1000000)::bigint`

// keyedCopies writes #(column) out as the number of a key.
func keyedCopies(queries map[string]string) map[string]string {
	column := regexp.MustCompile(`#\(([^)]+)\)`)
	for name, query := range queries {
		queries[name] = column.ReplaceAllStringFunc(query, func(found string) string {
			return sql.KeyNumber(column.FindStringSubmatch(found)[1] + "::text")
		})
	}
	return queries
}
