-- What is a table to whoever reads its log? Its number, kind and replica identity, whether row level security hides rows
-- of it from us, which of the columns $3 we may not read, the partitions whose log tells another key than the table's, and
-- whether the log of any part has whole old rows, which a list of columns would forbid; its primary key, and whether we own it.
SELECT c.oid, c.relkind::text, c.relpersistence::text, c.relreplident::text, row_security_active(c.oid),
       has_schema_privilege(n.oid, 'USAGE'),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attname = ANY($3) AND a.attnum > 0 AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY 1),
       ARRAY(SELECT l.oid::regclass::text FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid
             WHERE p.isleaf AND l.oid <> c.oid AND l.relreplident NOT IN ('f', c.relreplident) ORDER BY 1),
       c.relreplident = 'f' OR EXISTS (SELECT FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf AND l.relreplident = 'f'),
       ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY((string_to_array(i.indkey::text, ' ')::smallint[])[1:i.indnkeyatts])
             WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum),
       pg_has_role(c.relowner, 'USAGE')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
