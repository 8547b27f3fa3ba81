-- Which of these posts may be shown? By primary key.
SELECT id, author_id, created_at, audience, group_id, labels
FROM posts FINAL
WHERE id IN {ids:Array(Int64)} AND NOT hidden AND audience != 4
