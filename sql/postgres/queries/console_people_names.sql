-- How are some users called? A read by the primary key.
SELECT "users"."id"::text AS id, coalesce("users"."name"::text, '') AS name
FROM "users"
WHERE "users"."id" = ANY($1::text[]::bigint[])
