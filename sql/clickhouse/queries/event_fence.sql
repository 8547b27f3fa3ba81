-- Which is the newest fence of a Kafka partition? Reads the owners, which are in memory.
SELECT max(fence) AS newest
FROM partition_owners
WHERE fence BETWEEN {first:UInt64} AND {last:UInt64}
