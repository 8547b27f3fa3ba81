-- Which public posts are the latest of all until a moment, by others than the viewer and whom they bar? For the viewer
-- whose followees have none. Reads the primary key backwards.
SELECT "posts"."id" AS id, "posts"."author_id" AS author_id, "posts"."created_at" AS created_at,
       (CASE WHEN false THEN 4 ELSE 0 END)::smallint AS audience, NULL::bigint AS group_id,
       NULL::text AS labels
FROM "posts"
WHERE ("posts"."status" = 'published' AND "posts"."deleted_at" IS NULL)
  AND NOT EXISTS (SELECT FROM "hides" WHERE "hides"."user_id" = $1 AND "hides"."post_id" = "posts"."id")
  AND (CASE WHEN false THEN 4 ELSE 0 END) = 0
  AND "posts"."created_at" <= $2::timestamptz
  AND "posts"."author_id" <> $1
  AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocker_id" = $1 AND "blocks"."blocked_id" = "posts"."author_id")
  AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocked_id" = $1 AND "blocks"."blocker_id" = "posts"."author_id")
  AND NOT EXISTS (SELECT FROM "mutes" WHERE "mutes"."muter_id" = $1 AND "mutes"."muted_id" = "posts"."author_id")
ORDER BY "posts"."id" DESC
LIMIT $3
