-- An order for all dead letters that match. The last 50 are kept.
WITH old AS (
    DELETE FROM feedrank.dead_letter_orders
    WHERE finished_at IS NOT NULL
        AND id <= (SELECT id FROM feedrank.dead_letter_orders ORDER BY id DESC OFFSET 49 LIMIT 1)
)
INSERT INTO feedrank.dead_letter_orders (queue, action, filter)
VALUES ($1, $2, $3)
RETURNING id, queue, action, requested_at, started_at, finished_at, matched, done, skipped, error
