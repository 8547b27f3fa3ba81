-- Which topics have held events, and with how many partitions? The first row of an epoch counts. Reads
-- a table of a few rows.
SELECT epoch, argMin(topic, created_at) AS topic, argMin(partitions, created_at) AS partitions, min(created_at) AS began
FROM event_epochs
GROUP BY epoch
ORDER BY epoch
