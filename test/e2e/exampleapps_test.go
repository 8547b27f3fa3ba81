package e2e

// exampleApp is an app of sql/postgres/example.
type exampleApp struct {
	name string
	fill []string
	// posts gives the key and the time of each post that $1 may see, and whether they follow its author, by plain SQL.
	posts string
	// key of the n-th user
	user string
	// hide takes the posts of the second user away, and back.
	hide, show string
	// narrow is what a request asks for alone, and narrowed the same as a condition on the post p; empty: nothing.
	narrow, narrowed string
}

// exampleApps have twelve users. The first follows the next five, of whom the fifth blocks them and the sixth is muted
// by them; the eleventh follows the third, who is private where the app has that; the twelfth follows nobody. The
// fourth and the eighth are away where an app has that.
var exampleApps = []exampleApp{
	{
		name: "mastodon_like", user: "n",
		fill: []string{
			`CREATE FUNCTION n(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 109000000000000000 + n * 7919 $$`,
			`INSERT INTO accounts (id, username, suspended_at) SELECT n(i), 'u' || i, CASE WHEN i IN (4, 8) THEN now() END FROM generate_series(1, 12) i`,
			`INSERT INTO accounts (id, username) VALUES (-99, 'the instance')`,
			`INSERT INTO follows (account_id, target_account_id) SELECT n(1), n(i) FROM generate_series(2, 6) i`,
			`INSERT INTO follows (account_id, target_account_id) VALUES (n(11), n(3)), (n(1), -99)`,
			`INSERT INTO blocks (account_id, target_account_id) VALUES (n(5), n(1)), (n(11), n(7))`,
			`INSERT INTO mutes (account_id, target_account_id) VALUES (n(1), n(6))`,
			`INSERT INTO statuses (id, account_id, visibility, created_at, deleted_at)
				SELECT n(1000 + i), CASE WHEN i % 11 = 5 THEN -99 ELSE n(2 + i % 9) END, (ARRAY[0, 0, 1, 2, 3, 4])[1 + i % 6],
					date_trunc('minute', now() AT TIME ZONE 'UTC') - i / 6 * interval '1 minute',
					CASE WHEN i % 10 = 3 THEN now() END FROM generate_series(1, 80) i`,
			`UPDATE statuses SET language = (ARRAY['de', 'en', NULL])[1 + id % 3], sensitive = id % 5 = 0`,
			`INSERT INTO statuses (id, account_id, in_reply_to_id) SELECT n(2000 + i), n(2 + i % 9), n(1000 + i) FROM generate_series(1, 20) i`,
		},
		posts: `SELECT p.id::text AS key, p.created_at AT TIME ZONE 'UTC' AS at, f.account_id IS NOT NULL AS followed
			FROM statuses p JOIN accounts a ON a.id = p.account_id
			LEFT JOIN follows f ON f.account_id = $1 AND f.target_account_id = p.account_id
			WHERE p.in_reply_to_id IS NULL AND p.deleted_at IS NULL AND a.suspended_at IS NULL AND p.account_id <> $1
				AND NOT EXISTS (SELECT FROM blocks b WHERE (b.account_id, b.target_account_id) IN (($1, p.account_id), (p.account_id, $1)))
				AND NOT EXISTS (SELECT FROM mutes m WHERE m.account_id = $1 AND m.target_account_id = p.account_id)
				AND (p.visibility = 0 OR p.visibility IN (1, 2) AND f.account_id IS NOT NULL)`,
		hide:     `UPDATE accounts SET suspended_at = now() WHERE id = n(2)`,
		show:     `UPDATE accounts SET suspended_at = NULL WHERE id = n(2)`,
		narrow:   "lang=de&labels=sensitive,lang:de,lang:und",
		narrowed: `(p.language IS NULL OR p.language = 'de')`,
	},
	{
		name: "lemmy_like", user: "n",
		fill: []string{
			`CREATE FUNCTION n(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT n $$`,
			`INSERT INTO person (id, name, deleted) SELECT i, 'u' || i, i IN (4, 8) FROM generate_series(1, 12) i`,
			`INSERT INTO community (id, name, private) VALUES (2, 'all', false), (3, 'some', true), (7, 'others', true)`,
			`INSERT INTO community_follower (community_id, person_id, pending) VALUES (2, 1, false), (3, 1, false), (7, 1, true), (7, 12, false)`,
			`INSERT INTO person_follower (follower_id, person_id) SELECT 1, i FROM generate_series(2, 6) i`,
			`INSERT INTO person_follower (follower_id, person_id) VALUES (11, 3)`,
			`INSERT INTO person_block (person_id, target_id) VALUES (5, 1), (11, 7), (1, 6)`,
			`INSERT INTO post (id, name, creator_id, community_id, members_only, published, removed, deleted)
				SELECT 1000 + i, 'p', 2 + i % 9, c.id, c.private, date_trunc('minute', now()) - i / 6 * interval '1 minute',
					i % 10 = 3, i % 13 = 5 FROM generate_series(1, 80) i JOIN community c ON c.id = (ARRAY[2, 2, 3, 7])[1 + i % 4]`,
			`INSERT INTO post_hide (person_id, post_id) SELECT p, 1000 + i FROM unnest(ARRAY[1, 12]) p, generate_series(p, 80, 12) i`,
			`UPDATE post SET language_id = (ARRAY[0, 37, 38])[1 + id % 3], nsfw = id % 5 = 0`,
		},
		posts: `SELECT p.id::text AS key, p.published AS at, f.follower_id IS NOT NULL OR EXISTS
				(SELECT FROM community_follower m WHERE m.community_id = c.id AND m.person_id = $1 AND NOT m.pending) AS followed
			FROM post p JOIN person a ON a.id = p.creator_id JOIN community c ON c.id = p.community_id
			LEFT JOIN person_follower f ON f.follower_id = $1 AND f.person_id = p.creator_id
			WHERE NOT p.removed AND NOT p.deleted AND NOT a.deleted AND p.creator_id <> $1
				AND NOT EXISTS (SELECT FROM post_hide h WHERE h.person_id = $1 AND h.post_id = p.id)
				AND NOT EXISTS (SELECT FROM person_block b WHERE (b.person_id, b.target_id) IN (($1, p.creator_id), (p.creator_id, $1)))
				AND (NOT c.private OR EXISTS (SELECT FROM community_follower m WHERE m.community_id = c.id AND m.person_id = $1 AND NOT m.pending))`,
		hide: `UPDATE person SET deleted = true WHERE id = 2`, show: `UPDATE person SET deleted = false WHERE id = 2`,
		narrow: "lang=37,0", narrowed: `p.language_id IN (37, 0)`,
	},
	{
		name: "discourse_like", user: "n",
		fill: []string{
			`CREATE FUNCTION n(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT n $$`,
			`INSERT INTO forum.users (id, username) SELECT i, 'u' || i FROM generate_series(1, 12) i`,
			`INSERT INTO forum.users (id, username) VALUES (-1, 'system')`,
			`INSERT INTO forum.user_follows (user_id, followed_id) SELECT 1, i FROM generate_series(2, 6) i`,
			`INSERT INTO forum.user_follows (user_id, followed_id) VALUES (11, 3), (1, -1)`,
			`INSERT INTO forum.user_relations (user_id, other_id, relation) VALUES (5, 1, 'ignored'), (11, 7, 'ignored'), (1, 6, 'muted'), (1, 3, 'watched')`,
			`INSERT INTO forum.posts (id, user_id, topic_id, post_number, raw, created_at, deleted_at)
				SELECT 1000 + i, CASE WHEN i % 11 = 5 THEN -1 ELSE 2 + i % 9 END, i, 1, 'p',
					date_trunc('minute', now() AT TIME ZONE 'UTC') - i / 6 * interval '1 minute',
					CASE WHEN i % 10 = 3 THEN now() END FROM generate_series(1, 80) i`,
			`INSERT INTO forum.posts (id, user_id, topic_id, post_number, raw) SELECT 2000 + i, 2 + i % 9, i, 2, 'reply' FROM generate_series(1, 20) i`,
		},
		posts: `SELECT p.id::text AS key, p.created_at AT TIME ZONE 'UTC' AS at, f.user_id IS NOT NULL AS followed
			FROM forum.posts p LEFT JOIN forum.user_follows f ON f.user_id = $1 AND f.followed_id = p.user_id
			WHERE p.post_number = 1 AND p.deleted_at IS NULL AND NOT p.hidden AND p.user_id <> $1
				AND NOT EXISTS (SELECT FROM forum.user_relations r WHERE r.relation = 'ignored' AND (r.user_id, r.other_id) IN (($1, p.user_id), (p.user_id, $1)))
				AND NOT EXISTS (SELECT FROM forum.user_relations r WHERE r.relation = 'muted' AND r.user_id = $1 AND r.other_id = p.user_id)`,
		hide: `UPDATE forum.posts SET hidden = true WHERE user_id = 2`,
		show: `UPDATE forum.posts SET hidden = false WHERE user_id = 2`,
	},
	{
		name: "forem_like", user: "n",
		fill: []string{
			`CREATE FUNCTION n(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT n $$`,
			`INSERT INTO users (id, username) SELECT i, 'u' || i FROM generate_series(1, 12) i`,
			`INSERT INTO follows (follower_id, followable_id, followable_type) SELECT 1, i, 'User' FROM generate_series(2, 6) i`,
			`INSERT INTO follows (follower_id, followable_id, followable_type) VALUES (11, 3, 'User'), (1, 8, 'Tag'), (12, 2, 'Tag')`,
			`INSERT INTO user_blocks (blocker_id, blocked_id) VALUES (5, 1), (11, 7), (1, 6)`,
			`INSERT INTO articles (id, user_id, title, published, created_at)
				SELECT 1000 + i, 2 + i % 9, 'p', i % 10 <> 3,
					date_trunc('minute', now() AT TIME ZONE 'UTC') - i / 6 * interval '1 minute' FROM generate_series(1, 80) i`,
			`UPDATE articles SET cached_tag_list = (ARRAY['go, rust', 'rust', 'gopher', 'sql,go', NULL])[1 + id % 5]`,
		},
		posts: `SELECT p.id::text AS key, p.created_at AT TIME ZONE 'UTC' AS at, f.id IS NOT NULL AS followed
			FROM articles p LEFT JOIN follows f ON f.follower_id = $1 AND f.followable_id = p.user_id AND f.followable_type = 'User'
			WHERE p.published AND p.user_id <> $1
				AND NOT EXISTS (SELECT FROM user_blocks b WHERE (b.blocker_id, b.blocked_id) IN (($1, p.user_id), (p.user_id, $1)))`,
		hide:   `UPDATE articles SET published = false WHERE user_id = 2`,
		show:   `UPDATE articles SET published = true WHERE user_id = 2`,
		narrow: "labels=tag:go", narrowed: `p.cached_tag_list IN ('go, rust', 'sql,go')`,
	},
	{
		name: "supabase_like", user: "u",
		fill: []string{
			`CREATE FUNCTION u(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(to_hex(n * 7919), 8, '0') || '-5a1e-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
			`INSERT INTO auth.users (id) SELECT u(i) FROM generate_series(1, 12) i`,
			`INSERT INTO profiles (id, username, is_private, banned_at) SELECT u(i), 'u' || i, i IN (3, 9), CASE WHEN i IN (4, 8) THEN now() END FROM generate_series(1, 12) i`,
			`INSERT INTO follows (follower_id, following_id) SELECT u(1), u(i) FROM generate_series(2, 6) i`,
			`INSERT INTO follows (follower_id, following_id) VALUES (u(11), u(3)), (u(2), u(1)), (u(9), u(1))`,
			`INSERT INTO blocks (blocker_id, blocked_id) VALUES (u(5), u(1)), (u(11), u(7))`,
			`INSERT INTO mutes (muter_id, muted_id) VALUES (u(1), u(6))`,
			`INSERT INTO groups (id, name) VALUES (u(2), 'has the key of a person'), (u(501), 'another')`,
			`INSERT INTO group_members (group_id, user_id, accepted) VALUES (u(2), u(1), true), (u(501), u(1), false), (u(501), u(12), true)`,
			`INSERT INTO posts (id, author_id, group_id, content, visibility, created_at, deleted_at)
				SELECT u(1000 + i), u(2 + i % 9), (ARRAY[u(2), u(501)])[i % 8], 'p',
					(ARRAY['public', 'public', 'unlisted', 'followers', 'friends', 'private'])[1 + i % 6],
					date_trunc('minute', now()) - i / 6 * interval '1 minute', CASE WHEN i % 10 = 3 THEN now() END FROM generate_series(1, 90) i`,
			`INSERT INTO hidden_posts (user_id, post_id) SELECT u(p), u(1000 + i) FROM unnest(ARRAY[1, 12]) p, generate_series(p, 90, 12) i`,
		},
		posts: `SELECT p.id::text AS key, p.created_at AS at, f.follower_id IS NOT NULL OR m.user_id IS NOT NULL AS followed
			FROM posts p JOIN profiles a ON a.id = p.author_id
			LEFT JOIN follows f ON f.follower_id = $1 AND f.following_id = p.author_id
			LEFT JOIN group_members m ON m.user_id = $1 AND m.group_id = p.group_id AND m.accepted
			WHERE p.deleted_at IS NULL AND a.banned_at IS NULL AND p.author_id <> $1
				AND NOT EXISTS (SELECT FROM blocks b WHERE (b.blocker_id, b.blocked_id) IN (($1, p.author_id), (p.author_id, $1)))
				AND NOT EXISTS (SELECT FROM mutes m WHERE m.muter_id = $1 AND m.muted_id = p.author_id)
				AND NOT EXISTS (SELECT FROM hidden_posts h WHERE h.user_id = $1 AND h.post_id = p.id)
				AND (NOT a.is_private OR f.follower_id IS NOT NULL) AND p.visibility <> 'private'
				AND CASE WHEN p.group_id IS NOT NULL THEN m.user_id IS NOT NULL
					WHEN p.visibility = 'friends' THEN f.follower_id IS NOT NULL
						AND EXISTS (SELECT FROM follows g WHERE g.follower_id = p.author_id AND g.following_id = $1)
					ELSE p.visibility = 'public' OR f.follower_id IS NOT NULL END`,
		hide: `UPDATE profiles SET banned_at = now() WHERE id = u(2)`, show: `UPDATE profiles SET banned_at = NULL WHERE id = u(2)`,
	},
	{
		name: "prisma_like", user: "k",
		fill: []string{
			`CREATE FUNCTION k(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'ckv' || substr(md5(n::text), 1, 22) $$`,
			`INSERT INTO "User" (id, name, "isPrivate", "deletedAt") SELECT k(i), 'u' || i, i IN (3, 9), CASE WHEN i IN (4, 8) THEN now() END FROM generate_series(1, 12) i`,
			`INSERT INTO "Follow" ("followerId", "followingId") SELECT k(1), k(i) FROM generate_series(2, 6) i`,
			`INSERT INTO "Follow" ("followerId", "followingId") VALUES (k(11), k(3)), (k(2), k(1)), (k(9), k(1))`,
			`INSERT INTO "Block" ("blockerId", "blockedId") VALUES (k(5), k(1)), (k(11), k(7))`,
			`INSERT INTO "Post" (id, title, "authorId", published, visibility, "createdAt")
				SELECT k(1000 + i), 'p', k(2 + i % 9), i % 10 <> 3, (ARRAY['PUBLIC', 'PUBLIC', 'FOLLOWERS', 'FRIENDS'])[1 + i % 4]::"Visibility",
					date_trunc('minute', now() AT TIME ZONE 'UTC') - i / 6 * interval '1 minute' FROM generate_series(1, 80) i`,
		},
		posts: `SELECT p.id AS key, p."createdAt" AT TIME ZONE 'UTC' AS at, f."followerId" IS NOT NULL AS followed
			FROM "Post" p JOIN "User" a ON a.id = p."authorId"
			LEFT JOIN "Follow" f ON f."followerId" = $1 AND f."followingId" = p."authorId"
			WHERE p.published AND a."deletedAt" IS NULL AND p."authorId" <> $1
				AND NOT EXISTS (SELECT FROM "Block" b WHERE (b."blockerId", b."blockedId") IN (($1, p."authorId"), (p."authorId", $1)))
				AND (p.visibility = 'PUBLIC' AND NOT a."isPrivate" OR f."followerId" IS NOT NULL)
				AND (p.visibility <> 'FRIENDS' OR EXISTS (SELECT FROM "Follow" g WHERE g."followerId" = p."authorId" AND g."followingId" = $1))`,
		hide: `UPDATE "User" SET "deletedAt" = now() WHERE id = k(2)`, show: `UPDATE "User" SET "deletedAt" = NULL WHERE id = k(2)`,
	},
}
