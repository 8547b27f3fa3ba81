-- About how many rows does a table have? From the catalog, as of the last ANALYZE; for a progress bar.
SELECT GREATEST(c.reltuples, 0)::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
