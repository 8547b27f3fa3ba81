-- Which statements write to this database now? Those that began before a person was erased may have
-- passed the constraint.
SELECT query_id
FROM system.processes
WHERE query_kind = 'Insert' AND (current_database = currentDatabase() OR current_database = '')
