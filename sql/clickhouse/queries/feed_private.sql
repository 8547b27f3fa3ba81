-- Whose posts may only their followers see? Reads a byte of every user, and of those who ever were private their rows.
SELECT id
FROM users
WHERE id IN (SELECT id FROM users WHERE private)
GROUP BY id
HAVING argMax(private AND is_deleted = 0, version)
ORDER BY id DESC
LIMIT {limit:UInt64}
