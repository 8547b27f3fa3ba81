-- Which of these posts may be shown? By primary key.
SELECT "posts"."id" AS id, "posts"."author_id" AS author_id, "posts"."created_at" AS created_at,
       (CASE WHEN false THEN 4 ELSE 0 END)::smallint AS audience, NULL::bigint AS group_id,
       NULL::text AS labels
FROM "posts"
WHERE "posts"."id" = ANY($1::bigint[])
  AND ("posts"."status" = 'published' AND "posts"."deleted_at" IS NULL)
