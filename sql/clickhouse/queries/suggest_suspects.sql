-- Who was ever deleted? Reads one byte of every user, now and then. Some of them may have come back since:
-- see suggest_gone.
SELECT id
FROM users
WHERE is_deleted = 1
LIMIT {limit:UInt64}
