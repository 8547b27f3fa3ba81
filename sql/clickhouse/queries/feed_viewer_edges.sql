-- Whom does a viewer follow, block and mute, who blocks them, whom did they unfollow, and of which groups are they
-- members, and which posts did they hide? A point read by the primary key. A pair can have several rows in the app; one
-- that stands is enough, and the one that ends last says when the relation does (0: not by itself).
-- The newest follows come first, for the bound on their number.
SELECT toUInt8(kind) AS kind_code, other_id, toUInt8(max(alive)) AS stands,
       toInt64(if(countIf(alive AND ends = 0) > 0, 0, maxIf(ends, alive))) AS until
FROM
(
    SELECT kind, other_id, max(created_at) AS since, argMax(is_deleted, version) = 0 AS alive,
           argMax(toUnixTimestamp64Milli(until), version) AS ends
    FROM viewer_edges
    WHERE viewer_id = {viewer:Int64}
    GROUP BY kind, other_id, row_key
)
GROUP BY kind, other_id
HAVING stands OR kind = 'follow'
ORDER BY kind != 'follow' DESC, stands DESC, max(since) DESC, other_id
LIMIT {limit:UInt64}
