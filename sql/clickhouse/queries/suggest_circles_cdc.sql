-- Whom does each of these people follow, and whose posts do they like, comment and share? A dislike takes a like away. Likes and comments
-- count from the source that is configured: see 0004_reactions.sql. Ranges of the primary keys, one for each
-- person, and the posts they reacted to. Bounded as suggest_circles is.
WITH reacted AS (
    SELECT user_id, post_id, kind, value
    FROM reactions_by_user FINAL
    WHERE user_id IN {people:Array(Int64)} AND day >= toDate(now('UTC')) - 90
        AND day <= toDate(now('UTC')) + 1 -- what is dated ahead does not count yet
        AND ((kind = 'like' AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
)
SELECT viewer_id AS person, other_id AS other, toInt64(0) AS weight
FROM viewer_edges
WHERE viewer_id IN {people:Array(Int64)} AND kind = 'follow'
GROUP BY viewer_id, other_id
HAVING argMax(is_deleted, version) = 0
ORDER BY viewer_id, max(created_at) DESC
LIMIT {per_seed:UInt64} BY viewer_id
UNION ALL
SELECT user_id AS person, author_id AS other, sum(liked) + 2 * sum(commented) + 3 * sum(shared) - 5 * sum(hid) AS weight
FROM (
    SELECT
        user_id, author_id,
        if({likes_from:String} = 'cdc', 0, toInt64(likes)) AS liked,
        if({comments_from:String} = 'cdc', 0, toInt64(comments)) AS commented,
        toInt64(shares) AS shared, toInt64(hides) AS hid
    FROM user_author_90d
    WHERE user_id IN {people:Array(Int64)} AND day >= toDate(now('UTC')) - 90
    UNION ALL
    SELECT reacted.user_id, authors.author_id, if(reacted.kind = 'like', toInt64(reacted.value), 0), toInt64(reacted.kind = 'comment'), 0, 0
    FROM reacted
    INNER JOIN (SELECT id, author_id FROM posts FINAL WHERE id IN (SELECT post_id FROM reacted)) AS authors ON authors.id = reacted.post_id
    WHERE authors.author_id != reacted.user_id
)
GROUP BY user_id, author_id
HAVING weight > 0
ORDER BY user_id, weight DESC
LIMIT {per_seed:UInt64} BY user_id
