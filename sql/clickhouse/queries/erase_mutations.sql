-- Which removals are under way in a table, and why does one not come on?
SELECT mutation_id, latest_fail_reason
FROM system.mutations
WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done AND command LIKE '%DELETE WHERE%erased_users%'
