-- The last runs of each job, latest first. By the index of each job's runs.
SELECT j.name, r.id, r.lead, r.cause, r.started_at, r.finished_at, r.outcome, r.detail
FROM feedrank.jobs j
CROSS JOIN LATERAL (SELECT * FROM feedrank.job_runs WHERE job = j.name ORDER BY id DESC LIMIT $1) r
ORDER BY j.name, r.id DESC
