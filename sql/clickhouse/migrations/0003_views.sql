-- What counts how. These two statements are the definition; queries/event_reconcile_*.sql recount by
-- the same words, and a test holds them equal.
--
--   action            post_metrics_1h        user_author_90d (not for one's own posts)
--   impression        exposures + 1          -
--   view              views + 1              views + 1
--   click             clicks + 1             clicks + 1
--   like              likes + 1              likes + 1
--   unlike            likes - 1              likes - 1
--   comment           comments + 1           comments + 1
--   share             shares + 1             shares + 1
--   dwell             dwell[bucket] + 1      -
--   hide              hides + 1              hides + 1
--   not_interested    hides + 1              hides + 1
CREATE MATERIALIZED VIEW IF NOT EXISTS post_metrics_1h_mv TO post_metrics_1h AS
SELECT
    toStartOfHour(occurred_at) AS hour,
    post_id,
    kafka_partition,
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
GROUP BY hour, post_id, kafka_partition, author_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS user_author_90d_mv TO user_author_90d AS
SELECT
    user_id,
    author_id,
    toDate(occurred_at) AS day,
    kafka_partition,
    toInt64(countIf(action = 'view')) AS views,
    toInt64(countIf(action = 'click')) AS clicks,
    toInt64(countIf(action = 'like')) - toInt64(countIf(action = 'unlike')) AS likes,
    toInt64(countIf(action = 'comment')) AS comments,
    toInt64(countIf(action = 'share')) AS shares,
    toInt64(countIf(action IN ('hide', 'not_interested'))) AS hides
FROM events
WHERE user_id != author_id AND action NOT IN ('impression', 'dwell')
GROUP BY user_id, author_id, day, kafka_partition;
