-- A table's rows up to last_key are in Kafka. Only the leader may say so.
WITH held AS (
    SELECT FROM feedrank.cdc_leads WHERE source = $1 AND number = $5 FOR SHARE
)
UPDATE feedrank.cdc_snapshots
SET last_key = $3, done = $4, updated_at = now()
WHERE source = $1 AND table_name = $2 AND EXISTS (SELECT FROM held)
