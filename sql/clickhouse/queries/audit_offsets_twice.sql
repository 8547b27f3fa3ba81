-- Which offsets between two has the raw table more than once, and how many are they? Granules of
-- other offsets are left out by the skip index.
SELECT toString(kafka_offset) AS which, count() OVER () AS total
FROM events
WHERE kafka_partition = {partition:UInt16} AND epoch = {epoch:UInt16} AND kafka_offset BETWEEN {first:Int64} AND {last:Int64}
GROUP BY kafka_offset
HAVING count() > 1
ORDER BY kafka_offset
LIMIT 1
