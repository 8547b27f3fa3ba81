-- Whose are these posts, and may they be shown? A deleted one keeps its row. The posts come as a table beside the query
-- (asked): thousands in its text would cost more than to find them. By primary key.
SELECT id, argMax(author_id, version) AS author, toUInt8(argMax(hidden OR is_deleted, version)) AS gone
FROM posts
WHERE id IN asked
GROUP BY id
