-- The ids of the events of a day that copies in a Kafka partition may repeat, for the filter. Reads the
-- primary key's columns of that partition. If an older epoch had another number of partitions (regrouped),
-- its events stand in others, and all of its rows are read: whose copies come here is for the key to say.
SELECT user_id, event_id
FROM events
WHERE toDate(occurred_at) = {day:Date}
    AND (
        kafka_partition = {partition:UInt16}
        OR ({regrouped:Bool} AND epoch < {epoch:UInt16} AND kafkaMurmurHash(toString(user_id)) % {partitions:UInt32} = {partition:UInt16})
    )
