-- How full are the disks?
SELECT name, toUInt64(free_space) AS free, toUInt64(total_space) AS total FROM system.disks WHERE total_space > 0 ORDER BY name
