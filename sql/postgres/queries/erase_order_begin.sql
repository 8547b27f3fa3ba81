-- The oldest erasure that is not done and was not tried just now begins, or goes on.
UPDATE feedrank.erase_orders SET started_at = coalesce(started_at, now())
WHERE id = (
    SELECT id FROM feedrank.erase_orders WHERE finished_at IS NULL AND id <> ALL (coalesce($1::bigint[], '{}')) ORDER BY id LIMIT 1
)
RETURNING id, person
