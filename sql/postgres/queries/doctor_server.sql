-- What version is the server, what time is it there, and for how many seconds has the oldest transaction been open?
SELECT current_setting('server_version_num')::int, current_setting('server_version'), clock_timestamp(),
       COALESCE((SELECT extract(epoch FROM clock_timestamp() - min(a.xact_start)) FROM pg_stat_activity a
                 WHERE a.datname = current_database() AND a.backend_type = 'client backend'), 0)::float8
