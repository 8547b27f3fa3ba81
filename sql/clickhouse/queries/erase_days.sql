-- Whose counts of which days lost rows since a time? Reads the offsets that were erased lately.
SELECT kafka_partition, day
FROM event_erasures
WHERE erased_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY kafka_partition, day
ORDER BY kafka_partition, day
