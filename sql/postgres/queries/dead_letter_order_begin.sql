-- The oldest order that is not done begins, or goes on.
UPDATE feedrank.dead_letter_orders SET started_at = coalesce(started_at, now())
WHERE id = (SELECT id FROM feedrank.dead_letter_orders WHERE finished_at IS NULL ORDER BY id LIMIT 1)
RETURNING id, queue, action, filter, done
