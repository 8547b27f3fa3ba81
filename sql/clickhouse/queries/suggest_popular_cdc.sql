-- Who was liked, commented or shared by most people lately? Likes and comments count from the source that
-- is configured: see 0004_reactions.sql. Reads the days from `days` ago on of everybody: a job asks now
-- and then, with one thread.
WITH reacted AS (
    SELECT user_id, post_id, kind
    FROM reactions_by_user FINAL
    WHERE day >= toDate(now('UTC')) - {days:UInt16}
        AND day <= toDate(now('UTC')) + 1 -- what is dated ahead does not count yet
        AND ((kind = 'like' AND value > 0 AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
)
SELECT author_id AS candidate, uniq(user_id) AS people
FROM (
        SELECT
            user_id, author_id,
            if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS liked,
            if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS commented,
            toInt64(shares) AS shared, toInt64(hides) AS hid
        FROM user_author_90d
        WHERE day >= toDate(now('UTC')) - {days:UInt16}
        UNION ALL
        SELECT reacted.user_id, authors.author_id, toInt64(reacted.kind = 'like'), toInt64(reacted.kind = 'comment'), 0, 0
        FROM reacted
        INNER JOIN (SELECT id, author_id FROM posts FINAL WHERE id IN (SELECT post_id FROM reacted)) AS authors ON authors.id = reacted.post_id
        WHERE authors.author_id != reacted.user_id
)
WHERE liked + commented + shared > 0
GROUP BY candidate
ORDER BY people DESC, candidate
LIMIT {limit:UInt64}
