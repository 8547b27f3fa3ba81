-- A viewer's edges as they lie in the table, replaced rows and removed ones included: for who has few.
SELECT toUInt8(kind) AS kind_code, other_id, row_key, toUnixTimestamp64Micro(created_at) AS since, version,
       toUInt8(is_deleted OR (until > toDateTime64(0, 6, 'UTC') AND until <= now64(6))) AS gone
FROM viewer_edges
WHERE viewer_id = {viewer:Int64} AND kind NOT IN ('member', 'hide')
LIMIT {limit:UInt64}
