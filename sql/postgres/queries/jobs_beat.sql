-- Does the lead still stand, and which jobs are wanted now? One row, if it stands.
SELECT coalesce((SELECT array_agg(name) FROM feedrank.jobs WHERE requested_at IS NOT NULL), '{}') AS wanted
FROM feedrank.job_lead
WHERE name = $1 AND number = $2
