-- How many rows, and how many offsets, has the raw table between two offsets, and how many had it before
-- somebody was erased? Granules of other offsets are left out by the skip index; the erased ones are a
-- read by primary key.
SELECT sum(live) AS total, uniqExactIf(kafka_offset, live = 1) AS distinct_offsets, toUInt64(uniqExact(kafka_offset) - distinct_offsets) AS erased
FROM (
    SELECT kafka_offset, 1 AS live FROM events
    WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
    UNION ALL
    SELECT kafka_offset, 0 AS live FROM event_erasures
    WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
)
