-- Of which groups is a viewer a member? An index read. Asked only where posts may be for members.
SELECT "members"."group_id" AS other_id
FROM "members"
WHERE "members"."user_id" = $1
LIMIT $2
