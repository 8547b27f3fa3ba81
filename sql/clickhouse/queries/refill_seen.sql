-- Which posts did the users after a given one see since a time? For when Redis has lost that of everybody.
-- A page of one Kafka partition in the order of the primary key, which is the users'; of days from the one
-- before `since` on, as feed_viewer_marks does.
SELECT user_id, post_id, toUInt8(0) AS back, received_at AS at
FROM events
WHERE kafka_partition = {partition:UInt16} AND user_id > {after:Int64}
    AND occurred_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') - INTERVAL 1 DAY
    AND received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND action IN ('impression', 'view')
ORDER BY user_id
LIMIT {limit:UInt64}
