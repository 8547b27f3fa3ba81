-- People whose like counts: neither the viewer nor their friends ($1), nor who has liked a post of these (a second like
-- of the same person changes nothing), nor who blocks one of them or is blocked (their likes count nothing).
SELECT id
FROM users
WHERE NOT id = ANY($1)
    AND NOT EXISTS (
        SELECT FROM likes INNER JOIN posts ON posts.id = likes.post_id
        WHERE likes.user_id = users.id AND posts.author_id = ANY($1)
    )
    AND NOT EXISTS (
        SELECT FROM blocks
        WHERE (blocker_id = users.id AND blocked_id = ANY($1)) OR (blocked_id = users.id AND blocker_id = ANY($1))
    )
ORDER BY id
LIMIT $2
