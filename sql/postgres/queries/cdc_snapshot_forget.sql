-- All tables are to be read anew: the slot was lost, and with it changes.
DELETE FROM feedrank.cdc_snapshots
WHERE source = $1
