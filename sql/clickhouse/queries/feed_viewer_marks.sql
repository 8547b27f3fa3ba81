-- Which posts did a viewer hide in the last weeks, and see in the last day? For when Redis has lost
-- them. A point read of the raw events: the view of the viewer's own days says in which partitions of
-- Kafka and on which days there is something to be found.
SELECT post_id, toUInt8(action IN ('hide', 'not_interested')) AS hides, received_at
FROM events
WHERE user_id = {viewer:Int64}
    AND kafka_partition IN
    (
        SELECT kafka_partition FROM user_author_90d WHERE user_id = {viewer:Int64} AND day > today() - {days:UInt16}
    )
    AND toDate(occurred_at) IN
    (
        SELECT day FROM user_author_90d
        WHERE user_id = {viewer:Int64} AND (hides > 0 AND day > today() - {days:UInt16} OR day >= yesterday())
    )
    AND (action IN ('hide', 'not_interested') OR action IN ('impression', 'view') AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
ORDER BY received_at DESC
LIMIT {limit:UInt64}
