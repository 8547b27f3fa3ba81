-- People who follow somebody, with some of those they follow: who is alive in a demo. Each candidate
-- is one look into the primary key of follows.
SELECT u.id,
       ARRAY(SELECT f.followee_id FROM follows f WHERE f.follower_id = u.id ORDER BY f.followee_id LIMIT 300)
FROM users u
WHERE EXISTS (SELECT FROM follows f WHERE f.follower_id = u.id)
ORDER BY u.id
LIMIT $1
