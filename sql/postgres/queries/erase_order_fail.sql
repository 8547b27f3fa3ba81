-- Why an attempt ended; the next run tries again.
UPDATE feedrank.erase_orders SET error = $2 WHERE id = $1 AND finished_at IS NULL
