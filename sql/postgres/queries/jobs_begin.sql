-- Begins a run, if the lead still stands; it answers requests made until now. The row lock keeps a new
-- leader waiting until this is written.
WITH lead AS (
    SELECT number FROM feedrank.job_lead WHERE name = $1 AND number = $2 FOR SHARE
), answered AS (
    UPDATE feedrank.jobs SET requested_at = NULL
    WHERE name = $3 AND requested_at IS NOT NULL AND EXISTS (SELECT FROM lead)
)
INSERT INTO feedrank.job_runs (job, lead, cause)
SELECT $3, number, $4 FROM lead
RETURNING id
