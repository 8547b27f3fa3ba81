-- Somebody comments on a post, if it is still there.
INSERT INTO comments (author_id, post_id, body)
SELECT $1, id, $3 FROM posts WHERE id = $2 AND deleted_at IS NULL
