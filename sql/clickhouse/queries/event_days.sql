-- How many ids will event_ids bring, day by day? Sizes the filter.
SELECT toDate(occurred_at) AS day, count() AS events
FROM events
WHERE kafka_partition = {partition:UInt16}
    OR ({regrouped:Bool} AND epoch < {epoch:UInt16} AND kafkaMurmurHash(toString(user_id)) % {partitions:UInt32} = {partition:UInt16})
GROUP BY day
