-- Does Kafka have all changes up to a position? No row: no source of ours reads this database, or its slot is lost.
SELECT confirmed_flush_lsn >= $2::pg_lsn
FROM pg_replication_slots
WHERE slot_name = $1 AND database = current_database() AND wal_status IS DISTINCT FROM 'lost' AND confirmed_flush_lsn IS NOT NULL
