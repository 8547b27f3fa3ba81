-- What must be added to user_author_90d so that it says what the raw table says? Either for the users,
-- authors and days that offsets beyond the last range touched, or for whole days. Counts as
-- 0003_views.sql does. Reads the users of one Kafka partition by primary key.
WITH touched AS (
    SELECT DISTINCT user_id, author_id, toDate(occurred_at) AS day
    FROM events
    WHERE NOT {whole:Bool} AND kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset > {after:Int64}
)
SELECT
    user_id, author_id, day, {partition:UInt16} AS kafka_partition,
    sum(views) AS views, sum(clicks) AS clicks, sum(likes) AS likes, sum(comments) AS comments,
    sum(shares) AS shares, sum(hides) AS hides
FROM (
    SELECT
        user_id,
        author_id,
        toDate(occurred_at) AS day,
        toInt64(countIf(action = 'view')) AS views,
        toInt64(countIf(action = 'click')) AS clicks,
        toInt64(countIf(action = 'like')) - toInt64(countIf(action = 'unlike')) AS likes,
        toInt64(countIf(action = 'comment')) AS comments,
        toInt64(countIf(action = 'share')) AS shares,
        toInt64(countIf(action IN ('hide', 'not_interested'))) AS hides
    FROM events
    WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
        AND ({whole:Bool} OR user_id IN (SELECT user_id FROM touched))
        AND ({whole:Bool} OR (user_id, author_id, toDate(occurred_at)) IN touched)
        AND user_id != author_id AND action NOT IN ('impression', 'dwell')
    GROUP BY user_id, author_id, day
    UNION ALL
    SELECT user_id, author_id, day, -views, -clicks, -likes, -comments, -shares, -hides
    FROM user_author_90d
    WHERE kafka_partition = {partition:UInt16} AND day BETWEEN {first:Date} AND {last:Date}
        AND ({whole:Bool} OR user_id IN (SELECT user_id FROM touched))
        AND ({whole:Bool} OR (user_id, author_id, day) IN touched)
)
GROUP BY user_id, author_id, day
HAVING views != 0 OR clicks != 0 OR likes != 0 OR comments != 0 OR shares != 0 OR hides != 0
