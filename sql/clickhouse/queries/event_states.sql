-- Where do these users stand with these posts (asked, a table beside the query), for each kind of reaction: 1 or 0, and as of when? From what
-- was decided of their events before an offset. Reads the granules of these users by primary key, of the days
-- whose filter does not exclude them. If an older epoch had another number of partitions (regrouped), in each
-- of its partitions.
SELECT
    user_id, post_id,
    toUInt8(multiIf(action IN ('like', 'unlike'), 1, action = 'comment', 2, action = 'share', 3, action = 'impression', 5, 4)) AS kind,
    if(action = 'impression', splitByChar('.', feed_session)[2], '') AS session,
    sum(toInt64(effect)) AS value,
    max(toUnixTimestamp64Milli(least(occurred_at, received_at))) AS latest
FROM events
WHERE (kafka_partition = {partition:UInt16} OR ({regrouped:Bool} AND epoch < {epoch:UInt16}))
    AND (epoch < {epoch:UInt16} OR kafka_offset < {before:Int64})
    AND user_id IN (SELECT user_id FROM asked) AND (user_id, post_id) IN asked
    AND toDate(occurred_at) IN {days:Array(Date)}
    AND action IN ('like', 'unlike', 'comment', 'share', 'hide', 'not_interested', 'unhide', 'impression')
    AND verdict IN ('counted', 'repeated', 'unresolved')
GROUP BY user_id, post_id, kind, session
