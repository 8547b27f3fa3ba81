-- May our role read the log of this server? Its wal_level, whether we may replicate, whether slot $1 exists, whether it does
-- without publication $2, and whether another slot could be made and read.
SELECT current_setting('wal_level'),
       EXISTS (SELECT FROM pg_roles r WHERE (r.rolname = current_user AND (r.rolreplication OR r.rolsuper))
               OR (r.rolname = 'rds_replication' AND pg_has_role(current_user, r.oid, 'MEMBER'))),
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1),
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database())
           AND NOT EXISTS (SELECT FROM pg_publication WHERE pubname = $2),
       (SELECT count(*) FROM pg_replication_slots) < current_setting('max_replication_slots')::int
           AND (SELECT count(*) FROM pg_stat_replication) < current_setting('max_wal_senders')::int
