-- A person is erased, and named no more.
UPDATE feedrank.erase_orders SET finished_at = now(), person = NULL, error = '', report = $2
WHERE id = $1 AND finished_at IS NULL
