-- Where does the log of this cluster stand, and which cluster is it?
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, system_identifier, clock_timestamp()
FROM pg_control_system()
