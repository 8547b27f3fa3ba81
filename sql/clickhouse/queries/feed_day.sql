-- What did people do with the posts that feeds showed them on a day, by source and version of the
-- ranking, and in all (source is empty)? Reads the partition of that day: of each event that came with
-- a feed_session its action, dwell time, user and post. Pairs of user and post are counted by
-- uniqCombined: exactly up to tens of thousands, else within about 1 %.
SELECT
    source,
    ranking,
    countIf(action = 'impression') AS impressions,
    countIf(action = 'click') AS clicks,
    countIf(action = 'like') AS likes,
    countIf(action = 'comment') AS comments,
    countIf(action = 'share') AS shares,
    countIf(action IN ('hide', 'not_interested')) AS hides,
    countIf(action = 'dwell') AS dwells,
    quantileTDigestIf(0.5)(dwell_ms, action = 'dwell') AS dwell_p50,
    quantileTDigestIf(0.95)(dwell_ms, action = 'dwell') AS dwell_p95,
    uniqCombinedIf(user_id, post_id, action = 'impression') AS shown,
    uniqCombinedIf(user_id, post_id, action IN ('like', 'comment', 'share')) AS converted
FROM
(
    SELECT
        splitByChar('.', feed_session) AS parts,
        parts[5] AS source,
        toUInt64OrZero(parts[3]) AS ranking,
        action, dwell_ms, user_id, post_id
    FROM events
    WHERE occurred_at >= toDateTime64({day:Date}, 3, 'UTC') AND occurred_at < toDateTime64(addDays({day:Date}, 1), 3, 'UTC')
        AND feed_session != ''
)
GROUP BY GROUPING SETS ((source, ranking), ())
ORDER BY source, ranking DESC
LIMIT 1000
SETTINGS max_execution_time = 20, max_threads = 2, max_memory_usage = 1000000000
