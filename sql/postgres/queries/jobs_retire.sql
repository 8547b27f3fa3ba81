-- Forgets the jobs that the new leader does not have, and writes off the runs of the leaders before it.
WITH retired AS (DELETE FROM feedrank.jobs WHERE lead < $1)
UPDATE feedrank.job_runs
SET outcome = 'lost', finished_at = now(), detail = 'its leader is gone'
WHERE outcome = 'running' AND lead < $1
