-- Writes down which offsets the raw table is about to lose, for audits. Repeated it changes nothing.
INSERT INTO event_erasures (epoch, kafka_partition, kafka_offset, day, erased_at)
SELECT epoch, kafka_partition, kafka_offset, toDate(occurred_at), now64(3)
FROM events
WHERE user_id IN (SELECT user_id FROM erased_users) OR author_id IN (SELECT user_id FROM erased_users)
    OR (author_id = 0 AND post_id IN (SELECT id FROM posts WHERE author_id IN (SELECT user_id FROM erased_users)))
