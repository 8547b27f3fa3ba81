-- Writes marks before those that are there.
-- KEYS: the marks. ARGV: the new ones, for how many milliseconds all are kept.
redis.call('SET', KEYS[1], ARGV[1] .. (redis.call('GET', KEYS[1]) or ''), 'PX', ARGV[2])
return 1
