-- The last orders, the latest first.
SELECT id, queue, action, requested_at, started_at, finished_at, matched, done, skipped, error
FROM feedrank.dead_letter_orders
ORDER BY id DESC
LIMIT 50
