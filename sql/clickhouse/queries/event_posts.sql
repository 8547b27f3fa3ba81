-- Whose are these posts, and may they be shown? A deleted one keeps its row. By primary key.
SELECT id, argMax(author_id, version) AS author, toUInt8(argMax(hidden OR is_deleted, version)) AS gone
FROM posts
WHERE id IN {ids:Array(Int64)}
GROUP BY id
