-- Keeps the latest marks.
-- KEYS: the marks. ARGV: how many bytes.
redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], -tonumber(ARGV[1]), -1), 'KEEPTTL')
return 1
