-- From which to which offset were the Kafka partitions applied since a time, and which range stands
-- before that? Reads the times of all ranges.
SELECT
    epoch,
    kafka_partition,
    maxIf(last_offset, applied_at < toDateTime({from:Int64}, 'UTC')) AS before,
    countIf(applied_at < toDateTime({from:Int64}, 'UTC')) AS earlier,
    max(last_offset) AS newest
FROM event_ranges
GROUP BY epoch, kafka_partition
HAVING max(applied_at) >= toDateTime({from:Int64}, 'UTC')
ORDER BY epoch, kafka_partition
