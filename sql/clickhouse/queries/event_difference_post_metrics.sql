-- What must be added to post_metrics_1h so that it says what the raw table says? Either for the posts
-- and hours that offsets beyond the last range touched, or for whole days. Counts as 0003_views.sql
-- does. Reads the days of one Kafka partition; for the touched ones finds the days by the skip index.
WITH touched AS (
    SELECT DISTINCT toStartOfHour(occurred_at) AS hour, post_id
    FROM events
    WHERE NOT {whole:Bool} AND kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset > {after:Int64}
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
        toInt64(countIf(action = 'impression')) AS exposures,
        toInt64(countIf(action = 'view')) AS views,
        toInt64(countIf(action = 'click')) AS clicks,
        toInt64(countIf(action = 'like')) - toInt64(countIf(action = 'unlike')) AS likes,
        toInt64(countIf(action = 'comment')) AS comments,
        toInt64(countIf(action = 'share')) AS shares,
        toInt64(countIf(action IN ('hide', 'not_interested'))) AS hides,
        sumMapIf(map(toUInt8(4 * bitCount(roundToExp2(greatest(dwell_ms, 1)) - 1) + intDiv(4 * greatest(dwell_ms, 1), roundToExp2(greatest(dwell_ms, 1))) - 4), toInt64(1)), action = 'dwell') AS dwell
    FROM events
    WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
        AND ({whole:Bool} OR toDate(occurred_at) IN (SELECT toDate(hour) FROM touched))
        AND ({whole:Bool} OR (toStartOfHour(occurred_at), post_id) IN touched)
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
