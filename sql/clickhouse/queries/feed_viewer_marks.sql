-- Which posts did a viewer hide in the last weeks, and see in the last day? For when Redis has lost
-- them. A point read of the raw events: what the viewer did (feed_viewer_act_rows, or feed_viewer_where)
-- says on which days, which are the table's own partitions, and in which partitions of Kafka there is
-- something to be found. What was hidden comes first: it matters for longer. Hides are of the time by which they count.
SELECT
    post_id,
    toUInt8(action = 'unhide') AS back,
    toUInt8(action IN ('hide', 'not_interested', 'unhide')) AS hides,
    if(hides = 1, least(occurred_at, received_at), received_at) AS at
FROM events
WHERE kafka_partition IN {partitions:Array(UInt16)}
    AND user_id = {viewer:Int64}
    AND _partition_id IN {days:Array(String)}
    AND (action IN ('hide', 'not_interested', 'unhide') OR action IN ('impression', 'view') AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
ORDER BY hides DESC, at DESC, post_id
LIMIT {limit:UInt64}
