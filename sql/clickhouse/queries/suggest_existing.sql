-- Which of these people are there, and not hidden, and may be recommended? By primary key, where the app maps its table of users: an id that stands in
-- an event alone is nobody.
SELECT id
FROM users
WHERE id IN {ids:Array(Int64)}
GROUP BY id
HAVING NOT argMax(is_deleted = 1 OR hidden OR no_discovery, version)
