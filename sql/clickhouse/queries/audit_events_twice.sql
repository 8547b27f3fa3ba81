-- Which events of some days has the raw table more than once, and how many are they? Reads the
-- primary key's columns of one Kafka partition in their order, so that little is held in memory.
SELECT concat('event ', toString(event_id), ' of user ', toString(user_id)) AS which, count() OVER () AS total
FROM (
    SELECT user_id, event_id
    FROM events
    WHERE kafka_partition = {partition:UInt16} AND toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
    GROUP BY user_id, event_id
    HAVING count() > 1
    SETTINGS optimize_aggregation_in_order = 1
)
ORDER BY which
LIMIT 1
