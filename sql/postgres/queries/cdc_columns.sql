-- Which columns does a table have, and which of them are its key? The key is what the log tells of a deleted
-- row: the index that is the replica identity, else the primary key; none where PostgreSQL would refuse deletes of a published table. Reads the catalog by name.
SELECT a.attname::text, a.atttypid, format_type(a.atttypid, a.atttypmod),
       COALESCE(array_position(k.columns, a.attnum), 0), a.atttypmod, a.attnotnull
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN LATERAL (
    SELECT (string_to_array(i.indkey::text, ' ')::smallint[])[1:i.indnkeyatts] AS columns
    FROM pg_index i
    WHERE i.indrelid = c.oid AND i.indisvalid
      AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate WHEN 'f' THEN i.indisprimary ELSE false END
    LIMIT 1
) k ON true
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
