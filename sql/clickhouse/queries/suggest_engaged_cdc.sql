-- Whose posts do these people like, comment and share, and how many of them do? Likes and comments count
-- from the source that is configured: see 0004_reactions.sql. Ranges of the primary keys, one for each of
-- the seeds, and the posts they reacted to; of each seed the authors they did most with. Bounded as
-- suggest_followed is.
WITH reacted AS (
    SELECT user_id, post_id, kind
    FROM reactions_by_user FINAL
    WHERE user_id IN {seeds:Array(Int64)} AND day >= today() - 90
        AND ((kind = 'like' AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
)
SELECT author_id AS candidate, count() AS people, groupArray(3)(user_id) AS some, sum(weight) AS done
FROM
(
    SELECT user_id, author_id, sum(liked) + 2 * sum(commented) + 3 * sum(shared) - 5 * sum(hid) AS weight
    FROM (
        SELECT
            user_id, author_id,
            if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS liked,
            if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS commented,
            toInt64(shares) AS shared, toInt64(hides) AS hid
        FROM user_author_90d
        WHERE user_id IN {seeds:Array(Int64)} AND day >= today() - 90
        UNION ALL
        SELECT reacted.user_id, authors.author_id, toInt64(reacted.kind = 'like'), toInt64(reacted.kind = 'comment'), 0, 0
        FROM reacted
        INNER JOIN (SELECT id, author_id FROM posts FINAL WHERE id IN (SELECT post_id FROM reacted)) AS authors ON authors.id = reacted.post_id
        WHERE authors.author_id != reacted.user_id
    )
    GROUP BY user_id, author_id
    HAVING weight > 0
    ORDER BY user_id, weight DESC
    LIMIT {per_seed:UInt64} BY user_id
)
GROUP BY candidate
ORDER BY people DESC, done DESC, candidate
LIMIT {limit:UInt64}
