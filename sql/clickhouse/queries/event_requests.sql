-- What is asked of the owner of a Kafka partition and not answered? Reads the last hours of two small
-- tables by primary key.
SELECT id, toUInt8(kind) AS what, first_day, last_day, first_offset, last_offset
FROM event_requests
WHERE epoch = {epoch:UInt16} AND kafka_partition = {partition:UInt16} AND requested_at > now64(3) - INTERVAL 6 HOUR
    AND id NOT IN (
        SELECT id FROM event_answers
        WHERE epoch = {epoch:UInt16} AND kafka_partition = {partition:UInt16} AND answered_at > now64(3) - INTERVAL 7 HOUR
    )
ORDER BY requested_at
