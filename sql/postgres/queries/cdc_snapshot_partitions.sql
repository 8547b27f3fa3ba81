-- The partitions of a table, as they are when no change of them is unseen.
UPDATE feedrank.cdc_snapshots SET partitions = $3
WHERE source = $1 AND table_name = $2
