-- How many tables does the built-in source still have to read for the first time?
SELECT count(*)
FROM feedrank.cdc_snapshots
WHERE NOT done
