-- What did others post in the viewer's groups before a moment, latest first? For each group, the latest posts from the
-- index on group and time. Posts of followees are in feed_timeline. Asked only where the app has groups.
SELECT latest.id, latest.author_id, latest.created_at, latest.audience, latest.group_id, latest.labels
FROM "members"
CROSS JOIN LATERAL (
    SELECT "posts"."id" AS id, "posts"."author_id" AS author_id, "posts"."created_at" AS created_at,
           (CASE WHEN false THEN 4 ELSE 0 END)::smallint AS audience, NULL::bigint AS group_id,
           NULL::text AS labels
    FROM "posts"
    WHERE "posts"."group_id" = "members"."group_id"
      AND ("posts"."created_at", "posts"."id") < ($2::timestamptz, $3::bigint)
      AND ("posts"."status" = 'published' AND "posts"."deleted_at" IS NULL)
      AND NOT EXISTS (SELECT FROM "hides" WHERE "hides"."user_id" = $1 AND "hides"."post_id" = "posts"."id")
      AND (CASE WHEN false THEN 4 ELSE 0 END) <> 4
      AND "posts"."author_id" <> $1
      AND NOT EXISTS (SELECT FROM "follows" WHERE "follows"."follower_id" = $1 AND "follows"."followee_id" = "posts"."author_id")
      AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocker_id" = $1 AND "blocks"."blocked_id" = "posts"."author_id")
      AND NOT EXISTS (SELECT FROM "blocks" WHERE "blocks"."blocked_id" = $1 AND "blocks"."blocker_id" = "posts"."author_id")
      AND NOT EXISTS (SELECT FROM "mutes" WHERE "mutes"."muter_id" = $1 AND "mutes"."muted_id" = "posts"."author_id")
    ORDER BY "posts"."created_at" DESC, "posts"."id" DESC
    LIMIT $4
) AS latest
WHERE "members"."user_id" = $1
ORDER BY latest.created_at DESC, latest.id DESC
LIMIT $4
