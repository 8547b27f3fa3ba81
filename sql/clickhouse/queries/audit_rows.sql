-- How many rows, and how many offsets, has the raw table between two offsets? Granules of other
-- offsets are left out by the skip index.
SELECT count() AS total, uniqExact(kafka_offset) AS distinct_offsets
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
