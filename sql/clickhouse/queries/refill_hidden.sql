-- Which posts did the users after a given one hide since a time, and take back? For when Redis
-- has lost that of everybody. The time is the one by which they count.
-- A page of one Kafka partition in the order of the primary key, which is the users'; of the rows before
-- the limit the actions are read, of few the rest.
SELECT user_id, post_id, toUInt8(action = 'unhide') AS back, least(occurred_at, received_at) AS at
FROM events
PREWHERE action IN ('hide', 'not_interested', 'unhide')
WHERE kafka_partition = {partition:UInt16} AND user_id > {after:Int64} AND occurred_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY user_id
LIMIT {limit:UInt64}
