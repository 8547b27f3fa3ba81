-- Changes of a table are lost from now on: it is read anew once that is mended.
UPDATE feedrank.cdc_snapshots SET lost = true, updated_at = now()
WHERE source = $1 AND table_name = $2 AND NOT lost
