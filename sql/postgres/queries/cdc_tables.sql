-- Which tables can be mapped? Ordinary and partitioned ones outside the system's schemas.
SELECT n.nspname || '.' || c.relname, c.relreplident::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'feedrank') AND n.nspname NOT LIKE 'pg\_%'
ORDER BY 1
