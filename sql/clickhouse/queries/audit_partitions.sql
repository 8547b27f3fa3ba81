-- Which Kafka partitions have events or counts in a time? Reads the days' partition columns.
SELECT DISTINCT kafka_partition
FROM (
    SELECT kafka_partition FROM events
    WHERE occurred_at >= toDateTime({from:Int64}, 'UTC') AND occurred_at < toDateTime({to:Int64}, 'UTC')
    UNION DISTINCT
    SELECT kafka_partition FROM post_metrics_1h
    WHERE hour >= toDateTime({from:Int64}, 'UTC') AND hour < toDateTime({to:Int64}, 'UTC')
    UNION DISTINCT
    SELECT kafka_partition FROM user_author_90d
    WHERE day BETWEEN toDate(toDateTime({from:Int64}, 'UTC')) AND toDate(toDateTime({to:Int64}, 'UTC'))
)
ORDER BY kafka_partition
