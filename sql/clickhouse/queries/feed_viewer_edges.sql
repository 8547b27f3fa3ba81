-- Whom does a viewer follow, block and mute, who blocks them, and whom did they unfollow? A point
-- read by the primary key. A pair can have several rows in the app; one that stands is enough.
-- The newest follows come first, for the bound on their number.
SELECT toUInt8(kind) AS kind_code, other_id, toUInt8(max(stands)) AS stands
FROM
(
    SELECT kind, other_id, max(created_at) AS since, argMax(is_deleted, version) = 0 AS stands
    FROM viewer_edges
    WHERE viewer_id = {viewer:Int64}
    GROUP BY kind, other_id, row_key
)
GROUP BY kind, other_id
HAVING stands OR kind = 'follow'
ORDER BY kind != 'follow' DESC, stands DESC, max(since) DESC, other_id
LIMIT {limit:UInt64}
