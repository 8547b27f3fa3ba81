-- Up to which offset is a Kafka partition applied? Reads the last granule by primary key.
SELECT last_offset
FROM event_ranges
WHERE epoch = {epoch:UInt16} AND kafka_partition = {partition:UInt16}
ORDER BY epoch DESC, kafka_partition DESC, last_offset DESC
LIMIT 1
