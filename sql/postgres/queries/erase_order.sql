-- Asks for an erasure; where one of that person is open, it is that. The last 1000 that are done are kept.
WITH old AS (
    DELETE FROM feedrank.erase_orders
    WHERE finished_at IS NOT NULL
        AND id <= (SELECT id FROM feedrank.erase_orders ORDER BY id DESC OFFSET 999 LIMIT 1)
)
INSERT INTO feedrank.erase_orders (person) VALUES ($1)
ON CONFLICT (person) WHERE finished_at IS NULL DO UPDATE SET person = EXCLUDED.person
RETURNING id, person, requested_at, started_at, finished_at, step, error, report
