-- Notes that these people are erased everywhere.
INSERT INTO erasures (user_id, begun_at, finished_at)
SELECT user_id, begun_at, now64(3)
FROM erasures FINAL
WHERE user_id IN {users:Array(Int64)} AND finished_at = toDateTime64(0, 3)
