-- Which posts does a viewer not want to see? An index read. Asked only where the app keeps that in a table.
SELECT "hides"."post_id" AS other_id
FROM "hides"
WHERE "hides"."user_id" = $1
LIMIT $2
