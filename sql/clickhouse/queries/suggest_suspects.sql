-- Who was ever deleted, hidden or not to be recommended? Reads two bytes of every user, now and then. Some of them may have come back since:
-- see suggest_gone.
SELECT id
FROM users
WHERE is_deleted = 1 OR hidden OR no_discovery
LIMIT {limit:UInt64}
