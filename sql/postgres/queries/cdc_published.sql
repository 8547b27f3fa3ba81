-- Which tables does the publication carry, with which columns and rows, and are the columns listed? Up to PostgreSQL 14 it is
-- always all of them, and the catalog does not name them.
SELECT t.schemaname || '.' || t.tablename,
       ARRAY(SELECT jsonb_array_elements_text(to_jsonb(t) -> 'attnames')),
       COALESCE(to_jsonb(t) ->> 'rowfilter', ''),
       COALESCE((SELECT to_jsonb(r) ->> 'prattrs' IS NOT NULL
                 FROM pg_publication_rel r
                 JOIN pg_publication p ON p.oid = r.prpubid
                 JOIN pg_class c ON c.oid = r.prrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE p.pubname = t.pubname AND n.nspname = t.schemaname AND c.relname = t.tablename), false)
FROM pg_publication_tables t
WHERE t.pubname = $1
