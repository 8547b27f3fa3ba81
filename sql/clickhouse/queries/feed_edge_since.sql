-- Since when does a viewer block or mute somebody, or are they blocked by them? A point read by the primary key. A row
-- whose time the app does not keep has that of its commit; 0: there is no such row.
SELECT toUnixTimestamp64Micro(min(if(toYear(created, 'UTC') > 1970, created, toDateTime64(committed, 6, 'UTC')))) AS since
FROM
(
    SELECT argMax(created_at, version) AS created, argMax(committed_at, version) AS committed
    FROM viewer_edges
    WHERE viewer_id = {viewer:Int64} AND toInt8(kind) = {kind:Int8} AND other_id = {other:Int64}
    GROUP BY row_key
    HAVING argMax(is_deleted, version) = 0
)
