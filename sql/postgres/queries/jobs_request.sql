-- Asks the leader for a run now. No row: there is no such job.
UPDATE feedrank.jobs SET requested_at = coalesce(requested_at, now()) WHERE name = $1
RETURNING requested_at
