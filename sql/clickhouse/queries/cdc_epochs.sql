-- Which lives has a topic had? The first claim of each epoch holds. By primary key.
SELECT epoch, topic_id, starts, claimed_at
FROM cdc_epochs
WHERE topic = {topic:String}
ORDER BY epoch, claimed_at, claim
LIMIT 1 BY epoch
