-- In which Kafka partitions are there events? Reads the ledger's ranges.
SELECT kafka_partition
FROM event_ranges
GROUP BY kafka_partition
ORDER BY kafka_partition
