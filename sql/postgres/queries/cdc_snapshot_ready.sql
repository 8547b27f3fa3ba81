-- The log was followed far enough: these tables may be read.
UPDATE feedrank.cdc_snapshots SET waits = false, updated_at = now()
WHERE source = $1 AND table_name = ANY($2)
