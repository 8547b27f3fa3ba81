-- Who took the lead last, and does anybody hold the lock now?
SELECT l.number, l.holder, l.taken_at,
    EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (classid::bigint << 32 | objid::bigint) = hashtextextended($2, 0)
    ) AS alive
FROM feedrank.job_lead l
WHERE l.name = $1
