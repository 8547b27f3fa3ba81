-- Which statements write this Kafka partition now, and for how long already? Some write for others too.
SELECT query_id, elapsed
FROM system.processes
WHERE startsWith(Settings['log_comment'], {prefix:String}) AND position(Settings['log_comment'], {mark:String}) > 0
