-- How many people interacted with each of these posts? The author's own do not count. Reads the raw
-- events of the window's days, of most columns only the rows of these posts: a job asks now and then,
-- with one thread.
SELECT post_id, uniqExact(user_id) AS users
FROM events
PREWHERE post_id IN {ids:Array(Int64)}
WHERE occurred_at >= toDateTime64({since:Int64}, 3, 'UTC') AND action IN ('like', 'comment', 'share') AND user_id != author_id
GROUP BY post_id
