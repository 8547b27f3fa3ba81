-- What is wrong with a page ($2: posts, $3: their authors as the page has them) for a viewer ($1), by
-- the app's own tables. No row: nothing. Reads primary keys only.
SELECT p.post_id, w.wrong
FROM unnest($2::bigint[], $3::bigint[]) AS p (post_id, author_id)
LEFT JOIN posts ON posts.id = p.post_id
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN posts.id IS NULL THEN 'is not there'
        WHEN posts.deleted_at IS NOT NULL THEN 'is deleted'
        WHEN posts.status <> 'published' THEN 'is ' || posts.status
        WHEN posts.author_id <> p.author_id THEN 'is of another author'
        WHEN posts.author_id = $1 THEN 'is the viewer''s own'
        WHEN EXISTS (SELECT FROM blocks b WHERE b.blocker_id = $1 AND b.blocked_id = posts.author_id) THEN 'is of somebody the viewer blocks'
        WHEN EXISTS (SELECT FROM blocks b WHERE b.blocker_id = posts.author_id AND b.blocked_id = $1) THEN 'is of somebody who blocks the viewer'
        WHEN EXISTS (SELECT FROM mutes m WHERE m.muter_id = $1 AND m.muted_id = posts.author_id) THEN 'is of somebody the viewer mutes'
    END AS wrong
) w
WHERE w.wrong IS NOT NULL
