-- A table's rows up to last_key are in Kafka.
UPDATE feedrank.cdc_snapshots
SET last_key = $3, done = $4, updated_at = now()
WHERE source = $1 AND table_name = $2
