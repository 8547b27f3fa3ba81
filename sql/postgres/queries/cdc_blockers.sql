-- Whom does a session of ours wait for?
SELECT b.pid, COALESCE(b.datname::text, ''), COALESCE(b.usename::text, ''), COALESCE(b.application_name, ''), COALESCE(b.state, ''),
       COALESCE(to_char(b.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '')
FROM unnest(pg_blocking_pids($1)) w(pid)
JOIN pg_stat_activity b ON b.pid = w.pid
ORDER BY b.xact_start
