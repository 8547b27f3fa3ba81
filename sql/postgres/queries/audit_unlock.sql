-- The end of an audit.
SELECT pg_advisory_unlock(hashtextextended('feedrank:audit', 0))
