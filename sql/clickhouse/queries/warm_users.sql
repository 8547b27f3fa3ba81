-- Who was active lately, the most active first? They are likely to come back. Reads the raw events of
-- the days since, two narrow columns: a job asks now and then, with one thread.
SELECT user_id
FROM events
WHERE occurred_at >= toDateTime64({since:Int64}, 3, 'UTC')
GROUP BY user_id
ORDER BY count() DESC, user_id
LIMIT {limit:UInt64}
