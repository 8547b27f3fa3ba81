-- What operators did, the oldest first: of somebody ($1), of a kind ($2), from ($3) and before ($4) a time, above an id ($5);
-- empty and NULL: any. Reads the primary key forwards.
SELECT id, at, who, what, target, before, after, status, request_id, address FROM feedrank.admin_actions
WHERE ($1 = '' OR who = $1) AND ($2 = '' OR what = $2) AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)
    AND id > $5
ORDER BY id LIMIT $6
