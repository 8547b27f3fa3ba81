-- What did the people whose events come to this partition react to on a day, for the filter? Reads the actions
-- of that day, and of the reactions the rest. Impressions only where they count once for each feed_session.
-- If an older epoch had another number of partitions (regrouped): as in event_ids.
SELECT user_id, post_id, toUInt8(action) AS what, if(action = 'impression', splitByChar('.', feed_session)[2], '') AS session
FROM events
PREWHERE action IN ('like', 'unlike', 'comment', 'share', 'hide', 'not_interested', 'unhide') OR ({served:Bool} AND action = 'impression')
WHERE toDate(occurred_at) = {day:Date} AND verdict IN ('counted', 'repeated', 'unresolved')
    AND (
        kafka_partition = {partition:UInt16}
        OR ({regrouped:Bool} AND epoch < {epoch:UInt16} AND kafkaMurmurHash(toString(user_id)) % {partitions:UInt32} = {partition:UInt16})
    )
