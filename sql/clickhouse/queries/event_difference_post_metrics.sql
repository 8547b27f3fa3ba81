-- What must be added to post_metrics_1h so that it says what the raw table says? For whole days, or for the
-- posts and hours that offsets beyond one touched; of these, where posts are named, those of events on these
-- posts that were ahead of their record. Counts as 0003_views.sql does, and such events as soon as there is a record of
-- their post, if it was made before they were: one that guessed at a post to come counts nothing. Reads the
-- days of one Kafka partition; for the touched ones finds the days by the skip index.
WITH touched AS (
    SELECT DISTINCT toStartOfHour(occurred_at) AS hour, post_id
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
    hour, post_id, {partition:UInt16} AS kafka_partition, author_id,
    sum(exposures) AS exposures, sum(views) AS views, sum(clicks) AS clicks, sum(likes) AS likes,
    sum(comments) AS comments, sum(shares) AS shares, sum(hides) AS hides, sumMap(dwell) AS dwell
FROM (
    SELECT
        toStartOfHour(occurred_at) AS hour,
        post_id,
        author_id,
        sumIf(toInt64(effect), action = 'impression') AS exposures,
        sumIf(toInt64(effect), action = 'view') AS views,
        sumIf(toInt64(effect), action = 'click') AS clicks,
        sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
        sumIf(toInt64(effect), action = 'comment') AS comments,
        sumIf(toInt64(effect), action = 'share') AS shares,
        sumIf(toInt64(effect), action IN ('hide', 'not_interested', 'unhide')) AS hides,
        sumMapIf(map(toUInt8(4 * bitCount(roundToExp2(greatest(dwell_ms, 1)) - 1) + intDiv(4 * greatest(dwell_ms, 1), roundToExp2(greatest(dwell_ms, 1))) - 4), toInt64(effect)), action = 'dwell') AS dwell
    FROM (
        SELECT
            occurred_at, post_id, action, effect, dwell_ms,
            if(verdict = 'unresolved', resolved.author_id, event.author_id) AS author_id
        FROM (
            SELECT user_id, occurred_at, received_at, post_id, author_id, action, effect, verdict, dwell_ms
            FROM events
            WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
                AND ({whole:Bool} OR toDate(occurred_at) IN (SELECT toDate(hour) FROM touched))
                AND ({whole:Bool} OR (toStartOfHour(occurred_at), post_id) IN touched)
                AND effect != 0
        ) AS event
        LEFT JOIN resolved ON resolved.id = event.post_id
        WHERE verdict != 'unresolved'
            OR (resolved.author_id != 0 AND resolved.created_at <= received_at + INTERVAL 1 MINUTE
                AND (user_id != resolved.author_id OR action NOT IN ('like', 'unlike', 'comment', 'share')))
    )
    GROUP BY hour, post_id, author_id
    UNION ALL
    SELECT
        hour, post_id, author_id, -exposures, -views, -clicks, -likes, -comments, -shares, -hides,
        mapApply((bucket, n) -> (bucket, -n), CAST(dwell, 'Map(UInt8, Int64)'))
    FROM post_metrics_1h
    WHERE kafka_partition = {partition:UInt16} AND toDate(hour) BETWEEN {first:Date} AND {last:Date}
        AND ({whole:Bool} OR (hour, post_id) IN touched)
)
GROUP BY hour, post_id, author_id
HAVING exposures != 0 OR views != 0 OR clicks != 0 OR likes != 0 OR comments != 0 OR shares != 0 OR hides != 0
    OR arrayExists(n -> n != 0, mapValues(dwell))
