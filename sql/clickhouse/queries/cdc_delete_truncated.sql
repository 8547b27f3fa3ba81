-- A truncate takes the rows with it that were written before. A full scan, once for each truncate.
-- What is derived from a row comes right after it and before any later change: see version.
INSERT INTO {table:Identifier}
SELECT * REPLACE (if(bitAnd(version, 255) = 255, version, version + 1) AS version, 1 AS is_deleted)
FROM {table:Identifier} FINAL
WHERE multiIf(
    {source_id:UInt64} != 0 AND source_id = {source_id:UInt64}, lsn < {lsn:UInt64},
    {source_id:UInt64} != 0 AND source_id != 0, toUnixTimestamp64Milli(committed_at) <= {at_ms:Int64},
    abs(toUnixTimestamp64Milli(committed_at) - {at_ms:Int64}) > 60000, toUnixTimestamp64Milli(committed_at) < {at_ms:Int64},
    lsn < {lsn:UInt64})
