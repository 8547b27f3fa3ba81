-- The last posts that everybody may see, and when they were made. Reads the primary key backwards.
SELECT id, author_id, created_at
FROM posts
WHERE deleted_at IS NULL AND status = 'published' AND created_at > now() - interval '72 hours'
ORDER BY id DESC
LIMIT $1
