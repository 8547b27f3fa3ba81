-- What do we have of these posts, deleted ones included? By primary key: a few granules.
SELECT toString(id) AS row_key, author_id AS first, group_id AS other, hidden, audience,
       created_at, created_at AS counted_at, version, is_deleted, lsn, source_id, committed_at, labels
FROM posts
WHERE id IN {keys:Array(Int64)}
ORDER BY id, version DESC
LIMIT 1 BY id
