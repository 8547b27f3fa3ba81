-- Which of these events (asked, a table beside the query) are in the raw table already, and under which offset?
-- Reads one granule for each event and part by primary key; the days are those whose filter does not exclude the
-- event. If an older epoch had another number of partitions (regrouped), in each of its partitions.
SELECT user_id, event_id, epoch, kafka_offset
FROM events
WHERE (kafka_partition = {partition:UInt16} OR ({regrouped:Bool} AND epoch < {epoch:UInt16}))
    AND (user_id, event_id) IN asked
    AND toDate(occurred_at) IN {days:Array(Date)}
