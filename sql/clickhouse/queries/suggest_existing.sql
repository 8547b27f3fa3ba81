-- Which of these people are there? By primary key, where the app maps its table of users: an id that stands in
-- an event alone is nobody.
SELECT id
FROM users
WHERE id IN {ids:Array(Int64)}
GROUP BY id
HAVING argMax(is_deleted, version) = 0
