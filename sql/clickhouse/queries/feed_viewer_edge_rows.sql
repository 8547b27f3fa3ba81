-- A viewer's edges as they lie in the table, replaced rows and removed ones included: for who has few.
SELECT kind, other_id, row_key, version, is_deleted, toUnixTimestamp64Milli(until) AS until
FROM viewer_edges
WHERE viewer_id = {viewer:Int64}
LIMIT {limit:UInt64}
