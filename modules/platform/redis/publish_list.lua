-- As publish.lua, for a list. The members come as one text, with a space behind each, so that their number is not
-- bounded by what a script takes.
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
for member in string.gmatch(ARGV[2], '[^ ]+') do redis.call('RPUSH', KEYS[1], member) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
