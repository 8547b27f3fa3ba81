-- Ends a run, and forgets the runs of its job that are too old to be kept.
WITH ended AS (
    UPDATE feedrank.job_runs SET finished_at = now(), outcome = $3, detail = $4
    WHERE id = $1 AND outcome IN ('running', 'lost')
)
DELETE FROM feedrank.job_runs
WHERE job = $2 AND id <= (SELECT id FROM feedrank.job_runs WHERE job = $2 ORDER BY id DESC OFFSET $5 LIMIT 1)
