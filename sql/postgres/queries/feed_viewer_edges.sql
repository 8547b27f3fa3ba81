-- Whom does a viewer follow (1), block (2) and mute (4), and who blocks them (3)? Four index reads:
-- the primary keys of the three tables and the index of those who are blocked.
(SELECT 1::int AS kind, "follows"."followee_id" AS other_id FROM "follows" WHERE "follows"."follower_id" = $1 LIMIT $2)
UNION ALL
(SELECT 2, "blocks"."blocked_id" FROM "blocks" WHERE "blocks"."blocker_id" = $1 LIMIT $2)
UNION ALL
(SELECT 3, "blocks"."blocker_id" FROM "blocks" WHERE "blocks"."blocked_id" = $1 LIMIT $2)
UNION ALL
(SELECT 4, "mutes"."muted_id" FROM "mutes" WHERE "mutes"."muter_id" = $1 LIMIT $2)
