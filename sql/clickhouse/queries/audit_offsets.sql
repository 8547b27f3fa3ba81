-- Which offsets between two has the raw table, or had it before somebody was erased? Granules of other
-- offsets are left out by the skip index; the erased ones are a read by primary key.
SELECT kafka_offset, max(live) = 0 AS erased
FROM (
    SELECT kafka_offset, 1 AS live FROM events
    WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
    UNION ALL
    SELECT kafka_offset, 0 AS live FROM event_erasures
    WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
)
GROUP BY kafka_offset
