-- Which posts did a user like, comment on or share since a time, and not take back? For the dry run of a ranking: a few
-- users, of whom an operator asks. Likes and comments count from the source that is configured: see 0004_reactions.sql,
-- where they have the day alone. Of the raw events of these days, by the primary key in each partition of Kafka, and of
-- the user's reactions.
SELECT post_id
FROM (
    SELECT post_id, occurred_at AS at, toInt64(effect) AS counts
    FROM events
    WHERE user_id = {user:Int64}
        AND occurred_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
        AND (action = 'share' OR (action IN ('like', 'unlike') AND {likes_from:String} != 'cdc')
            OR (action = 'comment' AND {comments_from:String} != 'cdc'))
    UNION ALL
    SELECT post_id, toDateTime64(day, 3, 'UTC') AS at, toInt64(1) AS counts
    FROM reactions_by_user FINAL
    WHERE user_id = {user:Int64} AND day >= toDate(fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
        AND ((kind = 'like' AND value > 0 AND {likes_from:String} = 'cdc') OR (kind = 'comment' AND {comments_from:String} = 'cdc'))
)
GROUP BY post_id
HAVING sum(counts) > 0
ORDER BY max(at) DESC, post_id
LIMIT {limit:UInt64}
