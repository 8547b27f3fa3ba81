-- What must be added to user_author_90d so that it says what the raw table says? For whole days, or for the
-- users and days that offsets beyond one touched; of these, where posts are named, those of events on these
-- posts that were ahead of their record. Counts as 0003_views.sql does, and such events as
-- event_difference_post_metrics does. Reads the users of one Kafka partition by primary key.
WITH touched AS (
    SELECT DISTINCT user_id, toDate(occurred_at) AS day
    FROM events
    WHERE NOT {whole:Bool} AND kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset > {after:Int64}
        AND (empty({posts:Array(Int64)}) OR (verdict = 'unresolved' AND post_id IN {posts:Array(Int64)}))
),
resolved AS (
    SELECT id, argMax(author_id, version) AS author_id, argMax(created_at, version) AS created_at
    FROM posts
    WHERE id IN (
        SELECT post_id FROM events
        WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date} AND verdict = 'unresolved'
    )
    GROUP BY id
    HAVING author_id != 0
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
        sumIf(toInt64(effect), action = 'view') AS views,
        sumIf(toInt64(effect), action = 'click') AS clicks,
        sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
        sumIf(toInt64(effect), action = 'comment') AS comments,
        sumIf(toInt64(effect), action = 'share') AS shares,
        sumIf(toInt64(effect), action IN ('hide', 'not_interested', 'unhide')) AS hides
    FROM (
        SELECT
            user_id, occurred_at, action, effect,
            if(verdict = 'unresolved', resolved.author_id, event.author_id) AS author_id
        FROM (
            SELECT user_id, occurred_at, received_at, post_id, author_id, action, effect, verdict
            FROM events
            WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
                AND ({whole:Bool} OR user_id IN (SELECT user_id FROM touched))
                AND ({whole:Bool} OR (user_id, toDate(occurred_at)) IN touched)
                AND effect != 0 AND action NOT IN ('impression', 'dwell')
        ) AS event
        LEFT JOIN resolved ON resolved.id = event.post_id
        WHERE (verdict != 'unresolved' AND user_id != event.author_id)
            OR (verdict = 'unresolved' AND resolved.author_id NOT IN (0, user_id)
                AND resolved.created_at <= received_at + INTERVAL 1 MINUTE)
    )
    GROUP BY user_id, author_id, day
    UNION ALL
    SELECT user_id, author_id, day, -views, -clicks, -likes, -comments, -shares, -hides
    FROM user_author_90d
    WHERE kafka_partition = {partition:UInt16} AND day BETWEEN {first:Date} AND {last:Date}
        AND ({whole:Bool} OR user_id IN (SELECT user_id FROM touched))
        AND ({whole:Bool} OR (user_id, day) IN touched)
)
GROUP BY user_id, author_id, day
HAVING views != 0 OR clicks != 0 OR likes != 0 OR comments != 0 OR shares != 0 OR hides != 0
