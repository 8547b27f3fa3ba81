-- How far did the comparison of that name come? One that lies for a day is begun anew.
SELECT state
FROM feedrank.cdc_resync
WHERE name = $1 AND updated_at > now() - interval '1 day'
