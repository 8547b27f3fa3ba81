-- What is there to guess a mapping from, beside columns and keys? Each table's rows as the planner knows them, whether
-- we may read it, and which columns refer to which table.
SELECT n.nspname || '.' || c.relname, c.reltuples::bigint, COALESCE(has_table_privilege(c.oid, 'SELECT'), false),
       COALESCE(array_agg(a.attname::text ORDER BY k.oid) FILTER (WHERE a.attname IS NOT NULL), '{}'),
       COALESCE(array_agg(tn.nspname || '.' || tc.relname ORDER BY k.oid) FILTER (WHERE a.attname IS NOT NULL), '{}')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
LEFT JOIN pg_class tc ON tc.oid = k.confrelid
LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
WHERE n.nspname || '.' || c.relname = ANY($1)
GROUP BY 1, 2, c.oid
