-- Whom does a viewer follow, block and mute, and who blocks them? Nobody of these is suggested. A point
-- read by the primary key; with `among`, of these people alone. The newest follows come first; a pair with
-- several rows in the app comes once.
SELECT toUInt8(kind) AS kind_code, other_id
FROM viewer_edges
WHERE viewer_id = {viewer:Int64} AND kind NOT IN ('member', 'hide') AND (empty({among:Array(Int64)}) OR other_id IN {among:Array(Int64)})
GROUP BY kind, other_id, row_key
HAVING argMax(is_deleted OR (until > toDateTime64(0, 6, 'UTC') AND until <= now64(6)), version) = 0
ORDER BY kind = 'follow' DESC, argMax(created_at, version) DESC, other_id
LIMIT 1 BY kind, other_id
LIMIT {limit:UInt64}
