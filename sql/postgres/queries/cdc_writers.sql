-- Which transactions are writing to a table or to a partition of it? The pid is 0 of those that are prepared.
SELECT DISTINCT l.virtualtransaction, COALESCE(l.pid, 0), COALESCE(a.usename::text, ''), COALESCE(a.application_name, ''), COALESCE(a.xact_start::text, '')
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.relation = $1 OR l.relation IN (SELECT relid FROM pg_partition_tree($1)))
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND COALESCE(l.pid, 0) <> pg_backend_pid()
