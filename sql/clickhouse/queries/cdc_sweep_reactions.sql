-- A truncate takes what is counted of likes or of comments that were written before, by hour or by user. Not by way of
-- these, where a later row may stand under the same key by now. A full scan of each, once for each truncate.
INSERT INTO {table:Identifier}
SELECT * REPLACE (if(bitAnd(version, 255) = 255, version, version + 1) AS version, 1 AS is_deleted)
FROM {table:Identifier} FINAL
WHERE kind = {kind:String} AND multiIf(
    {source_id:UInt64} != 0 AND source_id = {source_id:UInt64}, lsn < {lsn:UInt64},
    {source_id:UInt64} != 0 AND source_id != 0, toUnixTimestamp64Milli(committed_at) <= {at_ms:Int64},
    abs(toUnixTimestamp64Milli(committed_at) - {at_ms:Int64}) > 60000, toUnixTimestamp64Milli(committed_at) < {at_ms:Int64},
    lsn < {lsn:UInt64})
