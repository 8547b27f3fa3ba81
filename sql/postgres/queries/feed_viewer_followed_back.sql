-- Which of these authors, whom the viewer follows, follow the viewer? By primary key. Asked only where posts may be for
-- mutuals.
SELECT "follows"."follower_id" AS other_id
FROM "follows"
WHERE "follows"."follower_id" = ANY($1::bigint[]) AND "follows"."followee_id" = $2
