-- Who might show us their feed: people who follow at least $1 others, those who like most first.
-- Counts the likes of everybody: once, when the tour begins.
SELECT u.user_id
FROM (SELECT user_id, count(*) AS likes FROM likes GROUP BY user_id) u
WHERE (SELECT count(*) FROM (SELECT FROM follows f WHERE f.follower_id = u.user_id LIMIT $1) few) >= $1
ORDER BY u.likes DESC, u.user_id
LIMIT $2
