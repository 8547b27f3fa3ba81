-- How is our replication slot? restart_lsn is where the log is kept from; what lies behind it is held back.
SELECT s.active, COALESCE(s.wal_status, ''), COALESCE(s.restart_lsn, '0/0')::text,
       COALESCE(s.confirmed_flush_lsn, '0/0')::text,
       COALESCE(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint
FROM pg_replication_slots s
WHERE s.slot_name = $1 AND s.database = current_database()
