-- How many people interacted with each of these posts? The author's own do not count. Likes and comments
-- count from the source that is configured: see 0004_reactions.sql. Reads the raw events of the window's
-- days, of most columns only the rows of these posts, and the reactions of its hours: a job asks now and
-- then, with one thread.
SELECT post_id, uniqExact(user_id) AS users
FROM (
    SELECT post_id, user_id
    FROM events
    PREWHERE post_id IN {ids:Array(Int64)}
    WHERE occurred_at >= toDateTime64({since:Int64}, 3, 'UTC') AND user_id != author_id
        AND (action = 'share' OR (action = 'like' AND {likes_from:String} != 'cdc') OR (action = 'comment' AND {comments_from:String} != 'cdc'))
    UNION ALL
    SELECT post_id, user_id
    FROM reactions_by_hour FINAL
    WHERE hour >= toStartOfHour(toDateTime({since:Int64}, 'UTC')) AND post_id IN {ids:Array(Int64)}
        AND ((kind = 'like' AND value > 0 AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
        AND (post_id, user_id) NOT IN (SELECT id, author_id FROM posts FINAL WHERE id IN {ids:Array(Int64)})
)
GROUP BY post_id
