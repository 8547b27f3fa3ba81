-- Which offsets between two has the raw table? Granules of other offsets are left out by the skip index.
SELECT DISTINCT kafka_offset
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
