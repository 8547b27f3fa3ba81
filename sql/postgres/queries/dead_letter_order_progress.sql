-- An order came so far.
UPDATE feedrank.dead_letter_orders SET matched = $2, done = $3
WHERE id = $1 AND finished_at IS NULL
