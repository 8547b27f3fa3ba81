-- On which days did a viewer do something in the last weeks, through which partitions of Kafka?
-- For feed_viewer_marks, where what they did was not read row by row. A point read by
-- the primary key.
SELECT DISTINCT day, kafka_partition
FROM user_author_90d
WHERE user_id = {viewer:Int64} AND day > toDate(now('UTC')) - {days:UInt16}
