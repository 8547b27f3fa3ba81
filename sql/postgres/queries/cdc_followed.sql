-- Was the log followed, and is it in Kafka, up to a position?
SELECT COALESCE(confirmed_flush_lsn >= $2::pg_lsn, false)
FROM pg_replication_slots
WHERE slot_name = $1 AND database = current_database()
