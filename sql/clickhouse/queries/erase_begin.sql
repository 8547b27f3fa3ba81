-- Notes that these people are being erased, once each. By the server's clock, as everything about it.
INSERT INTO erasures (user_id, begun_at, finished_at)
SELECT user_id, now64(3), toDateTime64(0, 3)
FROM (SELECT arrayJoin({users:Array(Int64)}) AS user_id)
WHERE user_id NOT IN (SELECT user_id FROM erasures)
