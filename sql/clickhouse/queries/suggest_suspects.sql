-- Who was ever deleted or hidden? Reads two bytes of every user, now and then. Some of them may have come back since:
-- see suggest_gone.
SELECT id
FROM users
WHERE is_deleted = 1 OR hidden
LIMIT {limit:UInt64}
