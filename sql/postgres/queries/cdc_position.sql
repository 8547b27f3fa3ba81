-- Where does the log of this cluster stand, which cluster is it, and on which timeline?
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, system_identifier,
       ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint, clock_timestamp()
FROM pg_control_system()
