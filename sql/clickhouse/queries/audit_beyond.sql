-- How many rows has the raw table beyond the last range of a Kafka partition? They are of a batch under
-- way, or of one that was left unfinished. Reads the ends of the ranges, and of the raw table the
-- granules that the skip index leaves.
WITH
    (SELECT max(epoch) FROM event_ranges WHERE kafka_partition = {partition:UInt16}) AS newest,
    (SELECT max(last_offset) FROM event_ranges WHERE kafka_partition = {partition:UInt16} AND epoch = newest) AS position
SELECT count() AS beyond, any(toInt64(ifNull(position, -1))) AS last_range
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = ifNull(newest, 0) AND kafka_offset > ifNull(position, -1)
