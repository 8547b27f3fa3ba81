-- What time is it on the server?
SELECT now64(3, 'UTC') AS now
