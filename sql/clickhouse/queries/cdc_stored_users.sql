-- What do we have of these users, deleted ones included? By primary key: a few granules.
SELECT toString(id) AS row_key, toInt64(0) AS first, toInt64(0) AS other, hidden, toUInt8(if(private, 2, 0)) AS audience,
       created_at, created_at AS counted_at, version, is_deleted, lsn, source_id, committed_at, no_discovery
FROM users
WHERE id IN {keys:Array(Int64)}
ORDER BY id, version DESC
LIMIT 1 BY id
