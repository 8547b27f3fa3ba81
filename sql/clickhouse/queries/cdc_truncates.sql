-- Which truncates does a topic remember? The last one of each cluster takes all that those before it would.
SELECT source_id, argMax(lsn, (committed_at, lsn)) AS last_lsn, max(committed_at) AS last_at
FROM cdc_truncates
WHERE topic = {topic:String}
GROUP BY source_id
