-- A viewer's edges as they lie in the table, replaced rows and removed ones included: for who has few.
SELECT toUInt8(kind) AS kind_code, other_id, row_key, toUnixTimestamp64Micro(created_at) AS since, version, is_deleted
FROM viewer_edges
WHERE viewer_id = {viewer:Int64}
LIMIT {limit:UInt64}
