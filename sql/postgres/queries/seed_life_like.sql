-- Somebody likes a post, if it is still there.
INSERT INTO likes (user_id, post_id)
SELECT $1, id FROM posts WHERE id = $2 AND deleted_at IS NULL
ON CONFLICT DO NOTHING
