-- Puts a value where every replica reads it, unless one with a newer lead has.
-- KEYS: the value, the fence. ARGV: the writer's fence, the value, for how many milliseconds it is kept.
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
