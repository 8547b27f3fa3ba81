-- How far did the snapshots of this slot come, and of which tables were they?
SELECT table_name, COALESCE(last_key, ''), sweep_lsn::text, sweep_at, done, waits, lost, relation, publication, key_columns, partitions
FROM feedrank.cdc_snapshots
WHERE source = $1
