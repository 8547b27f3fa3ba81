-- An erasure came so far.
UPDATE feedrank.erase_orders SET step = $2 WHERE id = $1 AND finished_at IS NULL
