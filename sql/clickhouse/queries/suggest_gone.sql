-- Which of these people are deleted, hidden or not to be recommended? By primary key. Somebody of whom nothing is known stays: the app
-- may not map its table of users.
SELECT id
FROM users
WHERE id IN {ids:Array(Int64)}
GROUP BY id
HAVING argMax(is_deleted = 1 OR hidden OR no_discovery, version)
