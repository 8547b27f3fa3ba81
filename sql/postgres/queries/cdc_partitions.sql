-- The partitions of a table, each with the file that it lies in, which a truncate changes; and has it rows?
SELECT p.relid::oid::text || ':' || COALESCE(pg_relation_filenode(p.relid), 0), pg_relation_size(p.relid) > 0
FROM pg_partition_tree($1) p
WHERE p.isleaf AND p.relid::oid <> $1
ORDER BY p.relid::oid
