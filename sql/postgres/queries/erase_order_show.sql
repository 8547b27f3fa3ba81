-- An erasure that was asked for.
SELECT id, person, requested_at, started_at, finished_at, step, error, report
FROM feedrank.erase_orders
WHERE id = $1
