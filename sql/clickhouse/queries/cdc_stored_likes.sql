-- What do we have of these likes, deleted ones included? By primary key: a few granules.
SELECT row_key, user_id AS first, post_id AS other, false AS hidden, toUInt8(0) AS audience,
       created_at, counted_at, version, is_deleted, lsn, source_id, committed_at, value
FROM likes
WHERE row_key IN {keys:Array(String)}
ORDER BY row_key, version DESC
LIMIT 1 BY row_key
