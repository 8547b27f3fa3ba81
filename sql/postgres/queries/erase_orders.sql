-- The last erasures that were asked for, the latest first.
SELECT id, person, requested_at, started_at, finished_at, step, error, report
FROM feedrank.erase_orders
ORDER BY id DESC
LIMIT $1
