-- Who is deleted or hidden, so that nobody is to see their posts? Reads two bytes of every user, and of those
-- who ever were so their rows. Hidden people come first: their posts are still there.
SELECT id
FROM users
WHERE id IN (SELECT id FROM users WHERE is_deleted = 1 OR hidden)
GROUP BY id
HAVING argMax(is_deleted = 1 OR hidden, version)
ORDER BY argMax(is_deleted, version), id DESC
LIMIT {limit:UInt64}
