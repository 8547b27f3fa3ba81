-- Which of our tables has partitions with so many parts that merges do not keep up?
SELECT table, toUInt64(max(parts)) AS parts
FROM (
    SELECT table, partition_id, count() AS parts FROM system.parts
    WHERE active AND database = {database:String} GROUP BY table, partition_id
)
GROUP BY table HAVING parts > {many:UInt64} ORDER BY table
