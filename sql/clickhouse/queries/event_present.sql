-- Which offsets beyond the last range are in the raw table, and what was decided of each? Granules of older
-- offsets are left out by the skip index.
SELECT kafka_offset, effect, toUInt8(verdict) AS why, author_id
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset > {after:Int64}
