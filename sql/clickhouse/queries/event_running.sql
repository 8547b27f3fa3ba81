-- Which statements write this Kafka partition now, and for how long already?
SELECT query_id, elapsed
FROM system.processes
WHERE startsWith(Settings['log_comment'], {tag:String})
