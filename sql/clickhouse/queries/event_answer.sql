-- What became of a request? Reads the last hours of a small table by primary key.
SELECT changed
FROM event_answers
WHERE epoch = {epoch:UInt16} AND kafka_partition = {partition:UInt16} AND answered_at > now64(3) - INTERVAL 7 HOUR
    AND id = {id:UUID}
ORDER BY answered_at
LIMIT 1
