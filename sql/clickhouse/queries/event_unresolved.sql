-- Which posts have events of this partition that were ahead of their record, and from which offset on? The
-- latest first. Reads the verdicts of the days since one.
SELECT post_id, min(kafka_offset) AS first
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND toDate(occurred_at) >= {since:Date} AND verdict = 'unresolved'
GROUP BY post_id
ORDER BY max(kafka_offset) DESC
LIMIT {limit:UInt64}
