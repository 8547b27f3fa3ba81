-- The jobs and what operators want of them.
SELECT name, extract(epoch FROM every)::float8 AS every, extract(epoch FROM timeout)::float8 AS timeout, requested_at
FROM feedrank.jobs
ORDER BY name
