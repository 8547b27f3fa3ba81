-- Whose name has a text in it? The shortest names first. Nothing helps with this but an index of the app's own, so the
-- caller bounds its time. The names of table and columns are the app's.
SELECT "users"."id"::text AS id, "users"."name"::text AS name
FROM "users"
WHERE "users"."name"::text ILIKE $1
ORDER BY length("users"."name"::text), "users"."name"::text
LIMIT 20
