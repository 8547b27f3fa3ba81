-- Who is gone or hidden? For a replica that starts while ClickHouse is away. In the example schema nobody is; the
-- conditions of cdc.tables.user stand in place of this one. Reads the table of users once.
SELECT "users"."id" AS id
FROM "users"
WHERE "users"."id" < 0
LIMIT $1
