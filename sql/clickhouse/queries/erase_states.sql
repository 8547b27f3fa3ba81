-- Which of these people are begun to be erased, and which are done? By primary key.
SELECT user_id, begun_at, toUInt8(finished_at > toDateTime64(0, 3)) AS finished
FROM erasures FINAL
WHERE user_id IN {users:Array(Int64)}
