-- Which posts did a user like, comment on or share since a time, and not take back? For the dry run of a ranking: a few
-- users, of whom an operator asks. Of the raw events of these days, by the primary key in each partition of Kafka.
SELECT post_id
FROM events
WHERE user_id = {user:Int64}
    AND occurred_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    AND action IN ('like', 'unlike', 'comment', 'share')
GROUP BY post_id
HAVING sum(effect) > 0
ORDER BY max(occurred_at) DESC, post_id
LIMIT {limit:UInt64}
