-- Who opted out of being recommended? Reads a byte of every user, and of those who ever did their rows.
SELECT id
FROM users
WHERE id IN (SELECT id FROM users WHERE no_discovery)
GROUP BY id
HAVING argMax(no_discovery AND is_deleted = 0, version)
ORDER BY id DESC
LIMIT {limit:UInt64}
