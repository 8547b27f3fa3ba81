-- Which posts are the latest of all, by others than the viewer and whom they bar? For the viewer
-- whose followees have none. Reads the primary key backwards.
SELECT "posts"."id" AS id, "posts"."author_id" AS author_id, "posts"."created_at" AS created_at
FROM "posts"
WHERE ("posts"."status" = 'published' AND "posts"."deleted_at" IS NULL)
  AND "posts"."author_id" <> $1
  AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocker_id" = $1 AND "blocks"."blocked_id" = "posts"."author_id")
  AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocked_id" = $1 AND "blocks"."blocker_id" = "posts"."author_id")
  AND NOT EXISTS (SELECT FROM "mutes" WHERE "mutes"."muter_id" = $1 AND "mutes"."muted_id" = "posts"."author_id")
ORDER BY "posts"."id" DESC
LIMIT $2
