-- What was done with each post of which rows were written lately, in the last `within` seconds by the server's
-- clock, by the age of the hour: 0 older, 1 the hour before, 2 this hour? Likes and comments count from the
-- source that is configured: see 0014_votes.sql. Reads the hours from `since` on of the view and of the
-- reactions: when each row was written, and all of the posts that are found.
SELECT
    post_id,
    toUInt8(if(hour >= toDateTime({hour:Int64}, 'UTC'), 2, if(hour >= toDateTime({hour:Int64} - 3600, 'UTC'), 1, 0))) AS age,
    sum(exposures) AS exposures,
    sum(likes) AS likes,
    sum(comments) AS comments,
    sum(shares) AS shares,
    sum(dislikes) AS dislikes
FROM post_votes_1h(likes_from = {likes_from:String}, comments_from = {comments_from:String})
WHERE hour >= toDateTime({since:Int64}, 'UTC') AND post_id IN (
    SELECT post_id FROM post_metrics_1h WHERE hour >= toDateTime({since:Int64}, 'UTC') AND written_at >= now() - {within:Int64}
    UNION ALL
    SELECT post_id FROM reactions_by_hour WHERE hour >= toDateTime({since:Int64}, 'UTC') AND written_at >= now() - {within:Int64}
)
GROUP BY post_id, age
