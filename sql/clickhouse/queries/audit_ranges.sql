-- The next ranges of a Kafka partition, in order. A read by primary key.
SELECT first_offset, last_offset, rows, duplicates + dead_letters + missing + lost + erased AS others, erased, toInt64(toUnixTimestamp(applied_at)) AS applied
FROM event_ranges
WHERE epoch = {epoch:UInt16} AND kafka_partition = {partition:UInt16}
    AND (last_offset, first_offset) > ({last:Int64}, {first:Int64}) AND last_offset >= {last:Int64} AND last_offset <= {newest:Int64}
ORDER BY last_offset, first_offset
LIMIT {limit:UInt64}
