-- May this session lead? The lock falls with the session, whatever ends it.
SELECT pg_try_advisory_lock(hashtextextended($1, 0))
