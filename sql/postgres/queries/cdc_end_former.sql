-- The sessions of the leader before us end: it is dead or frozen, or it would hold the lock.
SELECT count(*) FILTER (WHERE ended)
FROM (
    SELECT pg_terminate_backend(pid, 5000) AS ended
    FROM pg_stat_activity
    WHERE application_name = $1 AND usename = current_user AND pid <> pg_backend_pid()
) AS former
