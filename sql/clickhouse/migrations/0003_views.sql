-- What counts how. These two statements are the definition; queries/event_difference_*.sql recount by
-- the same words, and a test holds them equal. What an event adds is its effect: 1, or -1 for a reaction
-- that is taken back, or 0 for what changes nothing.
--
--   action            post_metrics_1h        user_author_90d (not for one's own posts)
--   impression        exposures              -
--   view              views                  views
--   click             clicks                 clicks
--   like, unlike      likes                  likes
--   comment           comments               comments
--   share             shares                 shares
--   dwell             dwell[bucket]          -
--   hide              hides                  hides
--   not_interested    hides                  hides
--   unhide            hides, taken back      hides, taken back
--
-- An event that was ahead of its post's record (unresolved) is not counted here: the owner of its partition
-- adds it, as a difference, once the post is known.
CREATE MATERIALIZED VIEW IF NOT EXISTS post_metrics_1h_mv TO post_metrics_1h AS
SELECT
    toStartOfHour(occurred_at) AS hour,
    post_id,
    kafka_partition,
    author_id,
    sumIf(toInt64(effect), action = 'impression') AS exposures,
    sumIf(toInt64(effect), action = 'view') AS views,
    sumIf(toInt64(effect), action = 'click') AS clicks,
    sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
    sumIf(toInt64(effect), action = 'comment') AS comments,
    sumIf(toInt64(effect), action = 'share') AS shares,
    sumIf(toInt64(effect), action IN ('hide', 'not_interested', 'unhide')) AS hides,
    sumMapIf(map(toUInt8(4 * bitCount(roundToExp2(greatest(dwell_ms, 1)) - 1) + intDiv(4 * greatest(dwell_ms, 1), roundToExp2(greatest(dwell_ms, 1))) - 4), toInt64(effect)), action = 'dwell') AS dwell
FROM events
WHERE effect != 0 AND verdict != 'unresolved'
GROUP BY hour, post_id, kafka_partition, author_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS user_author_90d_mv TO user_author_90d AS
SELECT
    user_id,
    author_id,
    toDate(occurred_at) AS day,
    kafka_partition,
    sumIf(toInt64(effect), action = 'view') AS views,
    sumIf(toInt64(effect), action = 'click') AS clicks,
    sumIf(toInt64(effect), action IN ('like', 'unlike')) AS likes,
    sumIf(toInt64(effect), action = 'comment') AS comments,
    sumIf(toInt64(effect), action = 'share') AS shares,
    sumIf(toInt64(effect), action IN ('hide', 'not_interested', 'unhide')) AS hides
FROM events
WHERE effect != 0 AND verdict != 'unresolved' AND user_id != author_id AND action NOT IN ('impression', 'dwell')
GROUP BY user_id, author_id, day, kafka_partition;
