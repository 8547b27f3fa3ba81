-- What do we hold of what this person did and has? Each row as JSON, with its table. Rows of what others did to them are
-- the others': who blocks somebody is not told. Keys are those of all that these rows name.
WITH mine AS (
    SELECT post_id AS id FROM events WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT author_id FROM events WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT author_id FROM user_author_90d WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT id FROM posts WHERE author_id = {user:Int64}
    UNION DISTINCT SELECT followee_id FROM follows WHERE follower_id = {user:Int64}
    UNION DISTINCT SELECT post_id FROM likes WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT post_id FROM comments WHERE author_id = {user:Int64}
    UNION DISTINCT SELECT other_id FROM blocks WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT group_id FROM posts WHERE author_id = {user:Int64}
    UNION DISTINCT SELECT group_id FROM members WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT post_id FROM hides WHERE user_id = {user:Int64}
    UNION DISTINCT SELECT {user:Int64}
)
SELECT 'users' AS place, formatRowNoNewline('JSONEachRow', *) AS line FROM users WHERE id = {user:Int64}
UNION ALL SELECT 'posts', formatRowNoNewline('JSONEachRow', *) FROM posts WHERE author_id = {user:Int64}
UNION ALL SELECT 'follows', formatRowNoNewline('JSONEachRow', *) FROM follows WHERE follower_id = {user:Int64}
UNION ALL SELECT 'comments', formatRowNoNewline('JSONEachRow', *) FROM comments WHERE author_id = {user:Int64}
UNION ALL SELECT 'likes', formatRowNoNewline('JSONEachRow', *) FROM likes WHERE user_id = {user:Int64}
UNION ALL SELECT 'members', formatRowNoNewline('JSONEachRow', *) FROM members WHERE user_id = {user:Int64}
UNION ALL SELECT 'hides', formatRowNoNewline('JSONEachRow', *) FROM hides WHERE user_id = {user:Int64}
UNION ALL SELECT 'blocks', formatRowNoNewline('JSONEachRow', *) FROM blocks WHERE user_id = {user:Int64}
UNION ALL SELECT 'viewer_edges', formatRowNoNewline('JSONEachRow', *) FROM viewer_edges WHERE viewer_id = {user:Int64}
    AND kind != 'blocked_by'
UNION ALL SELECT 'events', formatRowNoNewline('JSONEachRow', *) FROM events WHERE user_id = {user:Int64}
UNION ALL SELECT 'user_author_90d', formatRowNoNewline('JSONEachRow', *) FROM user_author_90d WHERE user_id = {user:Int64}
UNION ALL SELECT 'reactions_by_hour', formatRowNoNewline('JSONEachRow', *) FROM reactions_by_hour WHERE user_id = {user:Int64}
UNION ALL SELECT 'reactions_by_user', formatRowNoNewline('JSONEachRow', *) FROM reactions_by_user WHERE user_id = {user:Int64}
UNION ALL SELECT 'erasures', formatRowNoNewline('JSONEachRow', *) FROM erasures WHERE user_id = {user:Int64}
UNION ALL SELECT 'keys', formatRowNoNewline('JSONEachRow', *) FROM keys WHERE id IN (SELECT id FROM mine)
