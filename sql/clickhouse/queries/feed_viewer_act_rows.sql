-- What a viewer did, as it lies in the table, by author, day and Kafka partition, in several rows where
-- they are not merged yet, and older days included: for who has few.
SELECT author_id, day, kafka_partition, views, clicks, likes, comments, shares, hides
FROM user_author_90d
WHERE user_id = {viewer:Int64}
LIMIT {limit:UInt64}
