-- What was done with each post of which rows were written lately, in the last `within` seconds by the server's
-- clock, by the age of the hour: 0 older, 1 the hour before, 2 this hour? Reads the hours from `since` on: when
-- each row was written, and all of the posts that are found.
SELECT
    post_id,
    toUInt8(if(hour >= toDateTime({hour:Int64}, 'UTC'), 2, if(hour >= toDateTime({hour:Int64} - 3600, 'UTC'), 1, 0))) AS age,
    sum(exposures) AS exposures,
    sum(likes) AS likes,
    sum(comments) AS comments,
    sum(shares) AS shares,
    toInt64(0) AS dislikes -- events tell of none
FROM post_metrics_1h
WHERE hour >= toDateTime({since:Int64}, 'UTC') AND post_id IN (
    SELECT post_id FROM post_metrics_1h WHERE hour >= toDateTime({since:Int64}, 'UTC') AND written_at >= now() - {within:Int64}
)
GROUP BY post_id, age
