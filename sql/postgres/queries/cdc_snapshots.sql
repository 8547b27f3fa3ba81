-- How far did the snapshots of this slot come?
SELECT table_name, COALESCE(last_key, ''), sweep_lsn::text, done
FROM feedrank.cdc_snapshots
WHERE source = $1
