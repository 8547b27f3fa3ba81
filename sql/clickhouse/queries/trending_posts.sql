-- Which of these posts may everybody see, by themselves and by who made them, without a label that keeps them out of
-- lists? By primary key.
SELECT id, author_id, created_at, labels
FROM posts FINAL
WHERE id IN {ids:Array(Int64)} AND NOT hidden AND audience = 0 AND NOT hasAny(labels, {kept_out:Array(Int64)})
    AND author_id NOT IN (
        SELECT id
        FROM users
        WHERE id IN (SELECT author_id FROM posts WHERE id IN {ids:Array(Int64)})
        GROUP BY id
        HAVING argMax(is_deleted = 1 OR hidden OR private OR no_discovery, version)
    )
