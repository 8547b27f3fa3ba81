-- Is a column unique by itself: by an index of its own, or as far as can be told by how its values are made, or
-- because all else in the key is time, by which tables are partitioned? Reads the catalog by name.
SELECT EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                 AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS by_index,
       a.attidentity <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE '%(%', false) AS by_sequence,
       NOT EXISTS (SELECT FROM pg_attribute o
                   WHERE o.attrelid = c.oid AND o.attname <> a.attname AND o.attname::text = ANY($4::text[])
                     AND o.atttypid NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)) AS beside_time
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $3
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = $1 AND c.relname = $2
