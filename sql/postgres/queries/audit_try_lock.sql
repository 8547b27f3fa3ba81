-- One audit at a time, whoever runs it.
SELECT pg_try_advisory_lock(hashtextextended('feedrank:audit', 0))
