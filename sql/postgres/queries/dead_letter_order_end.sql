-- An order is done, or failed.
UPDATE feedrank.dead_letter_orders SET finished_at = now(), matched = $2, done = $3, skipped = $4, error = $5
WHERE id = $1 AND finished_at IS NULL
