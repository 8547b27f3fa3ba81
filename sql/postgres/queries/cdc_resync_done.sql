-- The comparison of that name is done.
DELETE FROM feedrank.cdc_resync
WHERE name = $1
