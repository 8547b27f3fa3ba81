-- How long ago did each job begin last? By the index of each job's runs.
SELECT j.name, extract(epoch FROM now() - r.started_at)::float8 AS seconds_ago
FROM feedrank.jobs j
CROSS JOIN LATERAL (SELECT started_at FROM feedrank.job_runs WHERE job = j.name ORDER BY id DESC LIMIT 1) r
